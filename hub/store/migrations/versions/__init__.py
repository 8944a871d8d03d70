"""One file per step; steps are applied in the order of their `down_revision`."""
