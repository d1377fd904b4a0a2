"""value ↔ bytes, one file each: none of them knows what surrounds a value."""
