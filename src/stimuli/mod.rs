//! Images: making the demo study, occlusion search, blur, checks.
