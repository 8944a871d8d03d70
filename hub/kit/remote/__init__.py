"""Documents as files on a partner's server, whatever protocol reaches it."""
