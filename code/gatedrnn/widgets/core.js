/**
 * The mathematics of the live figures: pure functions, no document, no state.
 *
 * Every function here has a twin in NumPy, and the tests hold the two together to 1e-6.
 */

/** Seconds in which a mode of modulus `radius` falls to 1/e; negative where it grows. */
export function decayTime(radius, dt) {
  return -dt / Math.log(radius);
}

/** Cycles per second of a mode whose eigenvalue has the argument `angle` (radians). */
export function frequency(angle, dt) {
  return Math.abs(angle) / (2 * Math.PI * dt);
}

/** What is left of a unit pulse after 0 … steps steps: radius^t cos(angle t). */
export function echo(radius, angle, steps) {
  return Float64Array.from({ length: steps + 1 }, (_, t) => radius ** t * Math.cos(angle * t));
}

/**
 * Uniform numbers in [0, 1) that are the same in every browser: a 32-bit counter in steps of
 * 0x6D2B79F5, each value scrambled by two rounds of multiply and shift ("mulberry32").
 */
export function uniforms(seed) {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x6d2b79f5) >>> 0;
    let bits = counter;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}

/** One standard normal number from two uniform ones (Box and Muller 1958). */
export function normal(uniform) {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
  return radius * Math.cos(2 * Math.PI * uniform());
}

/** One Poisson number: how many uniform numbers multiply to more than e^(-mean) (Knuth). */
export function poisson(mean, uniform) {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = uniform(); product > limit; product *= uniform()) count += 1;
  return count;
}

/**
 * A hand's velocity, two components of `steps` bins each: white noise through two equal low-pass
 * filters of `smoothness` seconds, scaled to a standard deviation of `speed`.
 */
export function wander(steps, dt, { smoothness = 0.25, speed = 10, seed = 1 } = {}) {
  const uniform = uniforms(seed);
  const keep = Math.exp(-dt / smoothness);
  return [0, 1].map(() => {
    const values = new Float64Array(steps);
    let first = 0;
    let second = 0;
    for (let t = -100; t < steps; t += 1) {
      first = keep * first + (1 - keep) * normal(uniform);
      second = keep * second + (1 - keep) * first;
      if (t >= 0) values[t] = second;
    }
    return standardised(values).map((value) => speed * value);
  });
}

/** Values with mean 0 and standard deviation 1. */
function standardised(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance));
}

/** Preferred directions (unit vectors) of `neurons` cells, spread by the golden angle. */
export function directions(neurons) {
  const golden = Math.PI * (3 - Math.sqrt(5));
  return Array.from({ length: neurons }, (_, i) => [Math.cos(golden * i), Math.sin(golden * i)]);
}

/**
 * Spike counts of cosine-tuned cells, one array per cell: Poisson with the rate
 * max(0, baseline + gain · (velocity · direction)) per second, plus Gaussian noise of
 * `noise` spikes per bin. Each cell has its own random stream, so adding one leaves the others alone.
 */
export function counts(velocity, dt, { neurons, noise, baseline = 20, gain = 1, seed = 1 }) {
  return directions(neurons).map(([x, y], i) => {
    const uniform = uniforms(seed + 7919 * (i + 1));
    return velocity[0].map((_, t) => {
      const rate = Math.max(0, baseline + gain * (x * velocity[0][t] + y * velocity[1][t]));
      const spikes = poisson(rate * dt, uniform);
      return spikes + noise * normal(uniform);
    });
  });
}

/** Velocity read from each bin alone: the least-squares solution of counts = tuning · velocity. */
export function invert(spikes, dt, { baseline = 20, gain = 1 } = {}) {
  const tuning = directions(spikes.length);
  const sum = (f) => tuning.reduce((total, direction) => total + f(direction), 0);
  const [a, b, d] = [sum(([x]) => x * x), sum(([x, y]) => x * y), sum(([, y]) => y * y)];
  const determinant = (a * d - b * b) * gain * dt;
  const steps = spikes[0].length;
  const [vx, vy] = [new Float64Array(steps), new Float64Array(steps)];
  for (let t = 0; t < steps; t += 1) {
    let [px, py] = [0, 0];
    tuning.forEach(([x, y], i) => {
      const excess = spikes[i][t] - baseline * dt;
      px += x * excess;
      py += y * excess;
    });
    vx[t] = (d * px - b * py) / determinant;
    vy[t] = (a * py - b * px) / determinant;
  }
  return [vx, vy];
}

/** The mean of the last `window` values, at every time; at the start of those there are. */
export function smooth(values, window) {
  const result = new Float64Array(values.length);
  let sum = 0;
  for (let t = 0; t < values.length; t += 1) {
    sum += values[t] - (t >= window ? values[t - window] : 0);
    result[t] = sum / Math.min(window, t + 1);
  }
  return result;
}

/** Mean over the components of 1 − (squared error) / (variance about the mean), from bin `from` on. */
export function rSquared(truth, guess, from = 0) {
  const scores = truth.map((values, component) => {
    const used = values.slice(from);
    const mean = used.reduce((sum, value) => sum + value, 0) / used.length;
    let [error, variance] = [0, 0];
    used.forEach((value, t) => {
      error += (value - guess[component][from + t]) ** 2;
      variance += (value - mean) ** 2;
    });
    return 1 - error / variance;
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/* The fading echo (chapter 2): a gradient on its way back through two units. */

/**
 * W = radius · [[1, s], [0, 1]] with s = gain − 1/gain: unit 2 pushes unit 1 and is not pushed back.
 * Both eigenvalues are `radius`, whatever s is; the spectral norm is radius · gain.
 */
export function oneWayMatrix(radius, gain) {
  return [[radius, radius * (gain - 1 / gain)], [0, radius]];
}

/**
 * States of h_t = tanh(W h_{t−1} + x_t) from silence: `steps` rows of two, after `settle` unrecorded ones.
 * The input is a slow swing, amplitude · sin(t/3) to unit 1 and amplitude · cos(t/3) to unit 2.
 */
export function swungStates(W, amplitude, steps, settle = 40) {
  let h = [0, 0];
  const states = [];
  for (let t = 0; t < settle + steps; t += 1) {
    const x = [amplitude * Math.sin(t / 3), amplitude * Math.cos(t / 3)];
    h = [0, 1].map((i) => Math.tanh(W[i][0] * h[0] + W[i][1] * h[1] + x[i]));
    if (t >= settle) states.push(h);
  }
  return states;
}

/** The Jacobian of each step, diag(1 − h²) W. */
export function tanhJacobians(W, states) {
  return states.map((h) => W.map((row, i) => row.map((weight) => (1 - h[i] * h[i]) * weight)));
}

/** The product of two 2 × 2 matrices. */
export function product2(A, B) {
  return A.map((row) => [0, 1].map((j) => row[0] * B[0][j] + row[1] * B[1][j]));
}

/** The larger singular value of a 2 × 2 matrix. */
export function norm2([[a, b], [c, d]]) {
  return (Math.hypot(a + d, b - c) + Math.hypot(a - d, b + c)) / 2;
}

/** ‖J_T J_{T−1} … J_{T−k+1}‖ for k = 0 … T: the largest factor by which a gradient has changed, k steps back. */
export function backwardNorms(jacobians) {
  let product = [[1, 0], [0, 1]];
  const norms = [1];
  for (let t = jacobians.length - 1; t >= 0; t -= 1) {
    product = product2(product, jacobians[t]);
    norms.push(norm2(product));
  }
  return norms;
}

/** What a small kick to unit 2, `horizon` steps before the end, is at each step from then to the end. */
export function kickedEcho(jacobians, horizon) {
  let departure = [0, 1];
  const echoes = [departure];
  for (let t = jacobians.length - horizon; t < jacobians.length; t += 1) {
    const [from, J] = [departure, jacobians[t]];
    departure = J.map((row) => row[0] * from[0] + row[1] * from[1]);
    echoes.push(departure);
  }
  return echoes;
}

/* The art of gating (chapter 3): one LSTM unit. */

/** The curve that makes a gate of any number: 0 far below zero, 1 far above. */
export function sigmoid(drive) {
  return 1 / (1 + Math.exp(-drive));
}

/**
 * One LSTM unit over the numbers `inputs`, from silence. `weights`, `feedback` and `biases` each hold four
 * numbers, for the gates in torch's order: input, forget, candidate, output. One array comes back for each of
 * the gates, the cell state and the hidden state.
 */
export function lstmUnit(inputs, { weights, feedback, biases }) {
  const trace = { input: [], forget: [], candidate: [], output: [], cell: [], hidden: [] };
  let [cell, hidden] = [0, 0];
  Array.from(inputs).forEach((x) => {
    const drive = [0, 1, 2, 3].map((gate) => weights[gate] * x + feedback[gate] * hidden + biases[gate]);
    const [input, forget, output] = [drive[0], drive[1], drive[3]].map(sigmoid);
    const candidate = Math.tanh(drive[2]);
    cell = forget * cell + input * candidate;
    hidden = output * Math.tanh(cell);
    Object.entries({ input, forget, candidate, output, cell, hidden }).forEach(([name, value]) =>
      trace[name].push(value));
  });
  return trace;
}

/* Learned time scales (chapter 5): what a forget gate keeps, over time. */

/** What is left of something written at step 0, after 0 … steps steps of a gate that keeps f: f^k. */
export function memoryKernel(f, steps) {
  return Float64Array.from({ length: steps + 1 }, (_, k) => f ** k);
}

/** The bias b that makes a gate keep f: the inverse of the sigmoid. */
export function biasOfGate(f) {
  return Math.log(f) - Math.log1p(-f);
}

/* A simpler cousin (chapter 4): one GRU unit. */

/**
 * One GRU unit over the numbers `inputs`, from silence. `weights`, `feedback` and `biases` each hold three
 * numbers, for the gates in torch's order: reset, update, new. As in torch, `update` is how much is kept. One
 * array comes back for each of the gates, for the state before the step and for the state after it.
 */
export function gruUnit(inputs, { weights, feedback, biases }) {
  const trace = { reset: [], update: [], candidate: [], before: [], hidden: [] };
  let hidden = 0;
  Array.from(inputs).forEach((x) => {
    const before = hidden;
    const [reset, update] = [0, 1].map((gate) => sigmoid(weights[gate] * x + feedback[gate] * before + biases[gate]));
    const candidate = Math.tanh(weights[2] * x + biases[2] + reset * feedback[2] * before);
    hidden = (1 - update) * candidate + update * before;
    Object.entries({ reset, update, candidate, before, hidden }).forEach(([name, value]) => trace[name].push(value));
  });
  return trace;
}

/* Looking both ways (chapter 6): a hidden state that switches, believed from past, future and both. */

/** What log odds about one bin say about its neighbour when the state switches with probability p: ψ. */
export function passOn(odds, p) {
  return 2 * Math.atanh((1 - 2 * p) * Math.tanh(odds / 2));
}

/** The slope of ψ. */
function passOnSlope(odds, p) {
  const [keep, bend] = [1 - 2 * p, Math.tanh(odds / 2) ** 2];
  return (keep * (1 - bend)) / (1 - keep ** 2 * bend);
}

/** Log odds after each bin of `evidence`, in the order in which it stands. */
function gather(evidence, p) {
  let odds = 0;
  return Array.from(evidence, (heard) => { odds = passOn(odds, p) + heard; return odds; });
}

/** Log odds of each bin from the bins up to it, from those up to `lag` bins later, and from all of them. */
export function beliefs(evidence, p, lag) {
  const past = gather(evidence, p);
  const later = (from, to) => passOn(gather(evidence.slice(from, to).reverse(), p).at(-1) ?? 0, p);
  const all = gather([...evidence].reverse(), p).reverse();
  return {
    past,
    lagged: past.map((odds, t) => odds + later(t + 1, t + 1 + lag)),
    both: past.map((odds, t) => odds + passOn(all[t + 1] ?? 0, p)),
  };
}

/** How much the belief about bin `at` moves with the evidence of each bin, when all bins are heard. */
export function influence(evidence, p, at) {
  const weights = new Float64Array(evidence.length);
  const past = gather(evidence, p);
  const later = gather([...evidence].reverse(), p).reverse();
  weights[at] = 1;
  for (let k = at - 1; k >= 0; k -= 1) weights[k] = weights[k + 1] * passOnSlope(past[k], p);
  for (let k = at + 1; k < evidence.length; k += 1) weights[k] = weights[k - 1] * passOnSlope(later[k], p);
  return weights;
}

/* Medicine (chapter 10): a measurement that grows old, of a state with variance 1 and time constant τ. */

/** γ = exp(−max(0, w δ + b)): how much of a measurement is still believed at each of the `ages` in hours. */
export function staleFactor(ages, slope, offset) {
  return Array.from(ages, (age) => Math.exp(-Math.max(0, slope * age + offset)));
}

/** The γ with the smallest error: slope 1/τ, offset ln(1 + noise²). */
export function bestFactor(ages, tau, noise) {
  return staleFactor(ages, 1 / tau, Math.log(1 + noise ** 2));
}

/** Root mean square error of the guess γ x at each age. */
export function staleError(ages, factors, tau, noise) {
  return Array.from(ages, (age, i) => Math.sqrt(
    1 - 2 * factors[i] * Math.exp(-age / tau) + factors[i] ** 2 * (1 + noise ** 2),
  ));
}

/** Root mean square of all errors. */
export function typicalError(errors) {
  return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
}

/* A gene that switches itself on (chapter 9): dx/dt = input + feedback xⁿ/(1 + xⁿ) − x, time in life times. */

/** How fast the protein is made at `level`. */
export function geneProduction(level, { input, feedback, steepness }) {
  const power = level ** steepness;
  return input + (feedback * power) / (1 + power);
}

/** How steeply production rises with the level. */
export function geneSteep(level, { feedback, steepness }) {
  return (feedback * steepness * level ** (steepness - 1)) / (1 + level ** steepness) ** 2;
}

/** Where `value` changes its sign between `low` and `high`, by halving. */
function geneCrossing(value, low, high) {
  const sign = Math.sign(value(low));
  for (let k = 0; k < 60; k += 1) {
    const middle = (low + high) / 2;
    if (Math.sign(value(middle)) === sign) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Levels at which two rests meet, and the inputs at which they do: none, or two of each. */
export function geneFolds(gene) {
  const { feedback, steepness } = gene;
  const steepest = ((steepness - 1) / (steepness + 1)) ** (1 / steepness);
  const spare = (level) => geneSteep(level, gene) - 1;
  if (steepness === 1 || spare(steepest) <= 0) return { levels: [], inputs: [] };
  const levels = [geneCrossing(spare, 0, steepest), geneCrossing(spare, steepest, Math.max(4, 2 * feedback * steepness))];
  return { levels, inputs: levels.map((level) => level - geneProduction(level, { ...gene, input: 0 })) };
}

/** Levels at which as much is made as is lost, lowest first, with whether a small push dies out. */
export function geneRests(gene) {
  const rate = (level) => geneProduction(level, gene) - level;
  const nothing = gene.input === 0;
  const edges = [nothing ? 1e-9 : 0, ...geneFolds(gene).levels, gene.feedback + gene.input + 1];
  const rests = nothing ? [0] : [];
  edges.slice(1).forEach((high, i) => {
    if (rate(edges[i]) * rate(high) < 0) rests.push(geneCrossing(rate, edges[i], high));
  });
  return rests.map((level) => ({ level, stable: geneSteep(level, gene) < 1 }));
}

/** The rest at which a gene ends that starts from `level`. */
export function geneSettle(level, gene) {
  const stable = geneRests(gene).filter((rest) => rest.stable).map((rest) => rest.level);
  const upward = geneProduction(level, gene) >= level;
  const ahead = stable.filter((rest) => (upward ? rest >= level - 1e-9 : rest <= level + 1e-9));
  return upward ? Math.min(...ahead) : Math.max(...ahead);
}

/* Alarms (chapter 11): when a score that lasts raises an alarm, and what became of the discharge. */

/** Index of the sample in which an alarm is raised, −1 if never; the clock runs on down to release · threshold. */
export function firstAlarm(scores, { threshold, duration, release }) {
  let clock = 0;
  for (let t = 0; t < scores.length; t += 1) {
    clock = scores[t] >= threshold || (clock > 0 && scores[t] >= release * threshold) ? clock + 1 : 0;
    if (clock >= duration) return t;
  }
  return -1;
}

/**
 * What became of a discharge whose alarm came in sample `raised`. `onset` is the first sample of its
 * density-limit phase (−1 if it has none), the last sample the end. "early" is a false alarm as well.
 */
export function fate(raised, { onset, samples, step, deadline, earliest }) {
  if (onset < 0) return raised < 0 ? "quiet" : "false";
  const left = (samples - 1 - raised) * step;
  if (raised < 0 || left < deadline - 1e-9) return "missed";
  return (onset - raised) * step > earliest + 1e-9 ? "early" : "caught";
}

/** Seconds of warning, fates and mean cost of all discharges for one alarm; a false alarm costs 1. */
export function alarmOutcome(shots, alarm, { missed, ...clock }) {
  const raised = shots.map(({ scores }) => firstAlarm(scores, alarm));
  const fates = shots.map(({ scores, onset }, i) => fate(raised[i], { onset, samples: scores.length, ...clock }));
  const warnings = shots.map(({ scores }, i) =>
    fates[i] === "caught" ? (scores.length - 1 - raised[i]) * clock.step : null);
  const price = { missed, false: 1, early: 1 };
  const cost = fates.reduce((sum, name) => sum + (price[name] ?? 0), 0) / shots.length;
  return { raised, fates, warnings, cost };
}

/* Spikes from calcium (chapter 8): jumps that explain a light, and how well they fit the spikes. */

/**
 * Jumps s ≥ 0 and their decaying sum c_t = kept · c_{t−1} + s_t that minimise ½ Σ (c − light)² + penalty · Σ s:
 * pools of freely decaying bins, merged where one would begin with a jump downwards.
 */
export function deconvolve(light, kept, penalty) {
  const [values, weights, lengths] = [[], [], []];
  light.forEach((seen, t) => {
    values.push(seen - penalty * (t === light.length - 1 ? 1 : 1 - kept));
    weights.push(1);
    lengths.push(1);
    for (let k = values.length - 1; k > 0 && values[k] < values[k - 1] * kept ** lengths[k - 1]; k -= 1) {
      const faded = kept ** lengths[k - 1];
      const total = weights[k - 1] + faded * faded * weights[k];
      values[k - 1] = (weights[k - 1] * values[k - 1] + faded * weights[k] * values[k]) / total;
      weights[k - 1] = total;
      lengths[k - 1] += lengths[k];
      [values, weights, lengths].forEach((list) => list.pop());
    }
  });
  const calcium = values.flatMap((value, k) =>
    Array.from({ length: lengths[k] }, (_, t) => Math.max(value, 0) * kept ** t));
  const jumps = calcium.map((value, t) => (t === 0 ? value : Math.max(0, value - kept * calcium[t - 1])));
  return { calcium, jumps };
}

/** How much each value exceeds the one before it, 0 where it does not and at the start. */
export function rises(values) {
  return values.map((value, t) => (t === 0 ? 0 : Math.max(0, value - values[t - 1])));
}

/** Values averaged by a Gaussian of `sigma` bins, cut off at four of them; beyond the ends they are mirrored. */
export function blurred(values, sigma) {
  const reach = Math.floor(4 * sigma + 0.5);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-0.5 * ((k - reach) / sigma) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const period = 2 * values.length;
  const padded = Float64Array.from({ length: values.length + 2 * reach }, (_, t) => {
    const k = (((t - reach) % period) + period) % period;
    return values[k < values.length ? k : period - 1 - k];
  });
  return values.map((_, t) => {
    let sum = 0;
    for (let k = 0; k < weights.length; k += 1) sum += weights[k] * padded[t + k];
    return sum / total;
  });
}

/** Pearson's correlation; 0 where one of the two never changes. */
export function correlated(a, b) {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)];
  const inner = (x, mx, y, my) => x.reduce((sum, value, t) => sum + (value - mx) * (y[t] - my), 0);
  const scale = Math.sqrt(inner(a, ma, a, ma) * inner(b, mb, b, mb));
  return scale > 0 ? inner(a, ma, b, mb) / scale : 0;
}

/* Chapter 12: a linear recurrence h_t = k_t h_{t-1} + v_t, summed in pairs. */

/** 1 at steps 1, 4 and 11 of every sixteen, else 0. */
export function pulseTrain(steps) {
  return Array.from({ length: steps }, (_, t) => ([1, 4, 11].includes(t % 16) ? 1 : 0));
}

/**
 * The summary that ends at each step, after each round: how much it keeps of what was before (`kept`), what it
 * adds (`added`), the first step in it (`first`) and whether the round changed it (`joined`). T is a power of 2.
 */
export function scanRounds(keep, add) {
  const steps = keep.length;
  let here = { kept: [...keep], added: [...add], first: keep.map((_, t) => t), joined: keep.map(() => false) };
  const told = [here];
  const join = (span, from) => {
    const now = { kept: [...here.kept], added: [...here.added], first: [...here.first], joined: keep.map(() => false) };
    for (let t = from; t < steps; t += 2 * span) {
      now.added[t] = here.kept[t] * here.added[t - span] + here.added[t];
      now.kept[t] = here.kept[t] * here.kept[t - span];
      now.first[t] = here.first[t - span];
      now.joined[t] = true;
    }
    here = now;
    told.push(here);
  };
  for (let span = 1; span < steps; span *= 2) join(span, 2 * span - 1);
  for (let span = steps / 4; span >= 1; span /= 2) join(span, 3 * span - 1);
  return told;
}
