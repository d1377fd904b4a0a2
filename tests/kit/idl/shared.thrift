// What the shop's services have in common.
namespace py shared

typedef i64 Timestamp
typedef string Email

enum Level { LOW = 1, HIGH = 10 }

exception NotFound {
    1: required string what,
    2: Level level = Level.LOW
}

struct Node {
    1: required i32 value,
    2: optional Node left,
    3: list<Node> others,
    4: map<string, Node> named
}

service Health {
    string status(),
    Timestamp started()
}
