//! Maximising a likelihood that is summed over all subjects, in rounds: damped Newton steps in the logarithms of the parameters.
//!
//! In each round the batches sum ln L, its gradient and its Hessian at one point; from these the next point follows. Exact second
//! derivatives cost little more than the likelihood itself, and make eight rounds of what takes gradients alone fifty.
//! Logarithms keep the parameters above 0 and make the search blind to the unit of time or money.

use tierd_plugin::State;

/// ln L and its derivatives over rows, at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums<const N: usize> {
    /// How many rows.
    pub rows: f64,
    /// Before there is a point: two totals of the data, from which the first point is made.
    pub totals: [f64; 2],
    /// ln L.
    pub value: f64,
    gradient: [f64; N],
    hessian: [[f64; N]; N],
}

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Sums { rows: 0.0, totals: [0.0; 2], value: 0.0, gradient: [0.0; N], hessian: [[0.0; N]; N] }
    }
}

impl<const N: usize> Sums<N> {
    /// Adds a row's.
    pub fn add_gradient(&mut self, gradient: [f64; N]) {
        add(&mut self.gradient, &gradient);
    }

    /// Adds a row's.
    pub fn add_hessian(&mut self, hessian: [[f64; N]; N]) {
        self.hessian.iter_mut().zip(&hessian).for_each(|(sum, row)| add(sum, row));
    }

    /// All of these, in their order.
    pub fn total(parts: &[Sums<N>]) -> Self {
        parts.iter().fold(Sums::default(), |mut total, part| {
            total.rows += part.rows;
            add(&mut total.totals, &part.totals);
            total.value += part.value;
            total.add_gradient(part.gradient);
            total.add_hessian(part.hessian);
            total
        })
    }

    /// The derivatives in the logarithms of the parameters.
    fn in_logarithms(&self, at: &[f64; N]) -> Self {
        let mut sums = self.clone();
        for i in 0..N {
            sums.gradient[i] *= at[i];
            for j in 0..N {
                sums.hessian[i][j] *= at[i] * at[j];
            }
            sums.hessian[i][i] += sums.gradient[i];
        }
        sums
    }
}

fn add<const N: usize>(to: &mut [f64; N], what: &[f64; N]) {
    to.iter_mut().zip(what).for_each(|(sum, value)| *sum += value);
}

impl<const N: usize> State for Sums<N> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.rows.write(bytes);
        self.totals.write(bytes);
        self.value.write(bytes);
        self.gradient.write(bytes);
        self.hessian.write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Sums {
            rows: State::read(bytes)?,
            totals: State::read(bytes)?,
            value: State::read(bytes)?,
            gradient: State::read(bytes)?,
            hessian: State::read(bytes)?,
        })
    }
}

/// Where the search is.
#[derive(Debug, Clone, PartialEq)]
pub struct Search<const N: usize> {
    /// The parameters that the next sums are wanted at; once done, the result.
    pub at: [f64; N],
    /// The best point so far and its sums, in logarithms.
    best: Option<([f64; N], Sums<N>)>,
    damping: f64,
    /// Rounds so far.
    pub rounds: u32,
    /// Nothing more is to be gained, or the parameters were given.
    pub done: bool,
    /// The search has ended at a maximum. Where the data don't say what the parameters are, it may not.
    pub converged: bool,
}

impl<const N: usize> State for Search<N> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.at.write(bytes);
        self.best.is_some().write(bytes);
        if let Some((point, sums)) = &self.best {
            point.write(bytes);
            sums.write(bytes);
        }
        self.damping.write(bytes);
        self.rounds.write(bytes);
        self.done.write(bytes);
        self.converged.write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let at = State::read(bytes)?;
        let best = if bool::read(bytes)? { Some((State::read(bytes)?, State::read(bytes)?)) } else { None };
        Some(Search {
            at,
            best,
            damping: State::read(bytes)?,
            rounds: State::read(bytes)?,
            done: State::read(bytes)?,
            converged: State::read(bytes)?,
        })
    }
}

/// Rounds before the search is given up.
const MOST_ROUNDS: u32 = 200;
/// No step changes a parameter by more than e to this power.
const LONGEST: f64 = 2.0;
/// What a step must promise per row for another round. Steps at the end square the distance, and the last one is taken too.
const GAIN: f64 = 1e-13;

impl<const N: usize> Search<N> {
    /// From a first point.
    pub fn from(at: [f64; N]) -> Self {
        Search { at, best: None, damping: 0.0, rounds: 0, done: false, converged: false }
    }

    /// With parameters that are given.
    pub fn given(at: [f64; N]) -> Self {
        Search { done: true, converged: true, ..Search::from(at) }
    }

    /// ln L at the best point.
    pub fn value(&self) -> Option<f64> {
        self.best.as_ref().map(|(_, sums)| sums.value)
    }

    /// The next point, from the sums at this one.
    pub fn next(mut self, sums: &Sums<N>) -> Self {
        self.rounds += 1;
        let here = sums.in_logarithms(&self.at);
        let least = self.value().map_or(f64::MIN, |best| best - 1e-13 * best.abs());
        if here.value.is_finite() && here.value >= least {
            self.damping = if self.damping < 1e-3 { 0.0 } else { self.damping / 8.0 };
            self.best = Some((self.at, here));
        } else {
            self.damping = (self.damping * 8.0).max(1e-2);
        }
        let Some((best, sums)) = &self.best else {
            // Not even the first point has a likelihood: there is nowhere to go.
            return Search { done: true, ..self };
        };
        let (step, damping) = step(sums, self.damping);
        let gain: f64 = step.iter().zip(&sums.gradient).map(|(s, g)| s * g / 2.0).sum();
        self.converged = self.at == *best && gain <= GAIN * sums.rows.max(1.0);
        self.done = self.converged || self.rounds >= MOST_ROUNDS;
        self.at = std::array::from_fn(|i| best[i] * step[i].exp());
        self.damping = damping;
        self
    }
}

/// (-H + damping · diag|H|)⁻¹ g, with more damping where that isn't uphill; and the damping that it took.
fn step<const N: usize>(sums: &Sums<N>, mut damping: f64) -> ([f64; N], f64) {
    loop {
        let mut matrix = sums.hessian.map(|row| row.map(|cell| -cell));
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] += damping * (row[i].abs() + 1e-9 * sums.rows);
        }
        if let Some(mut step) = solve(matrix, sums.gradient) {
            let longest = step.iter().fold(0.0, |longest: f64, s| longest.max(s.abs()));
            if longest > LONGEST {
                step = step.map(|s| s * LONGEST / longest);
            }
            return (step, damping);
        }
        if damping > 1e12 {
            return ([0.0; N], damping);
        }
        damping = (damping * 4.0).max(1e-2);
    }
}

/// The solution by Cholesky's decomposition; `None` where the matrix isn't positive definite.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut x: [f64; N]) -> Option<[f64; N]> {
    for j in 0..N {
        for i in j..N {
            let dot: f64 = (0..j).map(|k| matrix[i][k] * matrix[j][k]).sum();
            let rest = matrix[i][j] - dot;
            if i == j {
                if rest.is_nan() || rest <= 1e-14 * matrix[i][j].abs() {
                    return None;
                }
                matrix[j][j] = rest.sqrt();
            } else {
                matrix[i][j] = rest / matrix[j][j];
            }
        }
    }
    for i in 0..N {
        let dot: f64 = (0..i).map(|k| matrix[i][k] * x[k]).sum();
        x[i] = (x[i] - dot) / matrix[i][i];
    }
    for i in (0..N).rev() {
        let dot: f64 = (i + 1..N).map(|k| matrix[k][i] * x[k]).sum();
        x[i] = (x[i] - dot) / matrix[i][i];
    }
    x.iter().all(|value| value.is_finite()).then_some(x)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Search, State, Sums, solve};

    /// That gradient and Hessian are what differences of the value and of the gradient say.
    pub(crate) fn derivatives_fit<const N: usize>(at: [f64; N], sums: impl Fn([f64; N]) -> Sums<N>) {
        let here = sums(at);
        for i in 0..N {
            let h = 1e-5 * at[i];
            let moved = |by: f64| {
                let mut point = at;
                point[i] += by;
                sums(point)
            };
            let (above, below) = (moved(h), moved(-h));
            let slope = (above.value - below.value) / (2.0 * h);
            assert!(
                (slope - here.gradient[i]).abs() <= 1e-6 * slope.abs().max(1.0),
                "{i}: {slope}, not {}",
                here.gradient[i]
            );
            for j in 0..N {
                let slope = (above.gradient[j] - below.gradient[j]) / (2.0 * h);
                let cell = here.hessian[i][j];
                assert!((slope - cell).abs() <= 1e-6 * slope.abs().max(1.0), "{i} {j}: {slope}, not {cell}");
            }
        }
    }

    #[test]
    fn a_system_is_solved_and_an_indefinite_one_is_not() {
        let x = solve([[4.0, 2.0], [2.0, 3.0]], [10.0, 8.0]).unwrap();
        assert!((x[0] - 1.75).abs() < 1e-14 && (x[1] - 1.5).abs() < 1e-14);
        assert_eq!(solve([[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0]), None);
    }

    #[test]
    fn a_search_ends_at_the_maximum_and_survives_being_written() {
        // A Poisson likelihood of 100 rows with mean 3, and of 100 with mean 0.2.
        let sums = |at: [f64; 2]| {
            let value = 300.0 * at[0].ln() - 100.0 * at[0] + 20.0 * at[1].ln() - 100.0 * at[1];
            let mut sums = Sums { rows: 200.0, value, ..Sums::default() };
            sums.add_gradient([300.0 / at[0] - 100.0, 20.0 / at[1] - 100.0]);
            sums.add_hessian([[-300.0 / (at[0] * at[0]), 0.0], [0.0, -20.0 / (at[1] * at[1])]]);
            sums
        };
        let mut search = Search::from([1e3, 1e-3]);
        while !search.done {
            let mut bytes = Vec::new();
            let here = sums(search.at);
            search.next(&here).write(&mut bytes);
            search = Search::read(&mut &bytes[..]).unwrap();
        }
        assert!(search.converged && search.rounds < 20, "{search:?}");
        assert!((search.at[0] - 3.0).abs() < 1e-9 && (search.at[1] - 0.2).abs() < 1e-9, "{:?}", search.at);
    }
}
