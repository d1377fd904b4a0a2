exception Busy {
    1: string who,
}

service Tea {
    string price(1: string tea) throws (1: Busy busy),
    void order(1: string tea) throws (1: Busy busy),
}
