//! One replica and a host played by hand.

mod bounds;
mod certificates;
mod hostile;
mod life;
mod world;
