"""HTTP that carries no other family: requests and replies, with bodies in JSON or as they are."""
