"""Single sign-on by OpenID Connect: `provider` speaks to the provider, `admission` decides who gets in, `doors` are the
two addresses that a browser comes by."""
