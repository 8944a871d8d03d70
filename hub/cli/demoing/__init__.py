"""The demo: simulated partners around a real hub, speaking over real transports."""
