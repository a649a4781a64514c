"""The HTTP edge: the raw proxy of the public API, its few pages, and the private listener."""
