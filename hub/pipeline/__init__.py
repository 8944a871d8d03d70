"""The pipeline: one file per stage; `inbound` and `outbound` call them in order. Stages do not call stages."""
