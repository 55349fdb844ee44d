//! What a message says: the content format and the sanitiser.
