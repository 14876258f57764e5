//! Configuration: layers (flag > env > file > default), each value with its origin.
