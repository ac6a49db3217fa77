"""From an event to work: deliveries are taken in, enqueued, and looked for if they are lost."""
