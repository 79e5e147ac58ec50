"""One module a service; an image holds exactly one of them."""
