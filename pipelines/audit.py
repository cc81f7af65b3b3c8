"""The audit recipe: data set → fingerprints → duplicate groups → ranked prompts with a control arm.

    scanner audit DATASET --out RUN

Each step's tables are its own completion marker: a resumed audit skips the shards and the steps whose files exist.
"""
