"""One step each; every one may be repeated, for it first looks at what is done already."""
