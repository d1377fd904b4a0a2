"""value ↔ bytes, a file each: none of them knows what is around a value."""
