"""What `hub partner` does: samples read, a partner's files drafted from them, a partner's samples judged."""
