//! Layouts
