"""Which return to ask for, learnt from data: `counts` first, then `targets`.

After Tatematsu and Wachi 2025 (MTRO); the formulas are ours, consistent with its summaries.
"""
