"""What commands share: context, arguments, texts, embeds, views and what stands around every command."""
