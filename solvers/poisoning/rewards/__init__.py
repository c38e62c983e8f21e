"""What labels teach: the linear reward of a Bradley-Terry loss, in floats, exactly, enclosed.

To be read in this order: `separability`, `exact_loss`, `enclosed`; for large data `loss_passes`,
`learning`, `effects`.
"""
