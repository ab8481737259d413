"""What a store needs now and then: room (pruning), and another try for rows that the world refused (retrying)."""
