"""How risky a movement looks."""
