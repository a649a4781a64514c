"""The verbs of the gateway: who is calling, how much they may, and the accounts they belong to."""
