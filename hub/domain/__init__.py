"""What the hub is about: frozen data and pure rules, without a database, a network or a clock."""
