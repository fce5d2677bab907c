//! One replica and a host played by hand.

mod bounds;
mod hostile;
mod life;
mod world;
