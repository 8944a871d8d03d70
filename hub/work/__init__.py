"""The workers: claim what is due, hand it to the pipeline, wake each other through a doorbell that may be lost."""
