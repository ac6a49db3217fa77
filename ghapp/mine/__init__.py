"""What developers may ask of their own machine: their work, and why a line is there.

It reads prompts. They are shown to the person who asks, never stored and never sent: no room that
sends or stores may import this one (`.importlinter`).
"""
