"""A month of a coffee shop's life, so that the demo organization is not empty: made through the public API alone.

What the API takes a moment for (purchases, stamps, redemptions) lies in the past; what it dates itself (claims, rewards
handed over, referrals) happens while the data are made, and is kept small.
"""
