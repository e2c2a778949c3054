"""Whether all is there that a home needs, looked at before it is started."""
