exception NotFound {
    1: string what,
}

service Desk {
    string find(1: string name) throws (1: NotFound missing),
    string think(1: string question),
    oneway void note(1: string text),
}
