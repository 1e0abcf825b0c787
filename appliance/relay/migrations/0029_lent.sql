-- `post.charge_nurse` may be 2: works there by the word of its charge nurse alone. A release before this would not open the store.
UPDATE meta SET oldest_reader = 29;
