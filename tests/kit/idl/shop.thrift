/* A shop: every thing that an interface can say. */
include "shared.thrift"

const i32 MOST = 3

typedef list<Item> Items
typedef shared.Email Address

enum Colour { RED, GREEN = 5, BLUE }

struct Item {
    1: required string name,
    2: i32 count = MOST,
    3: optional Colour colour = Colour.GREEN,
    4: binary picture,
    7: set<Colour> others,
    8: map<Colour, list<i16>> sizes,
    9: bool sold = false,
    10: i8 shelf,
    11: double price = 2.5
}

union Payment {
    1: string card,
    2: i64 cash,
    3: Item barter
}

struct Order {
    1: required shared.Timestamp at,
    2: Items items,
    3: Payment payment,
    4: shared.Node tree,
    5: optional Address address = "nobody"
}

exception SoldOut {
    1: Item item
}

service Shop extends shared.Health {
    Order buy(1: Items items, 2: Payment payment) throws (1: SoldOut gone, 2: shared.NotFound lost),
    void cancel(1: required shared.Timestamp at),
    oneway void note(1: string text),
    Colour colour(1: string name),
    i32 find(1: string name)
}

service Stock {
    i32 count(1: string name),
    bool find(1: i64 number),
    i32 same(1: i32 a)
}

service Archive {
    i32 same(1: i32 a),
    string only()
}
