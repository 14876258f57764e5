//! The other faces of views and events: snapshot, JSON lines, recording.
