mod cases;
mod naive;
mod random;
