// The channels by which a message goes out, as they are called.
export const CHANNELS = { email: "E-mail", webhook: "Webhook", log: "The server's log" } as const;

export const CHANNEL_CHOICES = Object.entries(CHANNELS).map(([value, label]) => ({ value, label }));
