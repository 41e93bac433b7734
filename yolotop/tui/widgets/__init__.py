"""What is on the screen, one module per thing. They know snapshots, never the store."""
