"""What a control plane holds, as it is carried to another one: what is kept, and under which ids."""
