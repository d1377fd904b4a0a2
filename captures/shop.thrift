// What the programs of a small shop say to each other.

enum State {
    OPEN = 1,
    PAID = 2,
    SENT = 3,
}

struct Item {
    1: required string name,
    2: required i32 count,
    3: required i64 cents,
}

struct Order {
    1: required i64 id,
    2: required string customer,
    3: required list<Item> items,
    4: required State state,
    5: optional string note,
}

exception NoSuchOrder {
    1: i64 id,
}

service Orders {
    Order get(1: i64 id) throws (1: NoSuchOrder missing),
    list<i64> of_customer(1: string customer),
    oneway void seen(1: i64 id),
}
