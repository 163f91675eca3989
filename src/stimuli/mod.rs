//! Images: making the demo study, occlusion search, blur, checks.

pub mod check;
