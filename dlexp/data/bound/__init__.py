"""What bounds reading: folders without an end, archives that unpack to more than memory."""
