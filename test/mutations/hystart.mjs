/** What test/rfc/9406 and test/tcp/congestion hold of how slow start ends. */
const plus = (name, find, replace) => ({ name, file: 'tcp/congestion/hystart-plus-plus', find, replace });
const linux = (name, find, replace) => ({ name, file: 'tcp/congestion/hystart', find, replace });

export default [
  plus('HyStart++: never', 'this.#conservative = true;', ''),
  plus('HyStart++: no L', 'Math.min(acked, LIMIT)', 'acked'),
  plus('HyStart++: at full pace', 'CSS_GROWTH_DIVISOR = 4', 'CSS_GROWTH_DIVISOR = 1'),
  plus('HyStart++: CSS without end', '++this.#rounds >= CSS_ROUNDS', 'false'),
  plus('HyStart++: one round of CSS', 'CSS_ROUNDS = 5', 'CSS_ROUNDS = 2'),
  plus('HyStart++: no false alarm', 'if (this.#currentRoundUs >= this.#baselineUs) return;', 'return;'),
  plus(
    'HyStart++: after a loss, too',
    'if (connection.ssthresh !== INFINITE_SSTHRESH) return slowStart(connection, acked);',
    '',
  ),
  plus('HyStart++: one sample is enough', '++this.#samples < SAMPLES', 'false'),
  plus('HyStart++: no upper bound', 'MAX_RTT_THRESHOLD_US = 16_000', 'MAX_RTT_THRESHOLD_US = 160_000'),
  plus('HyStart++: no lower bound', 'MIN_RTT_THRESHOLD_US = 4000', 'MIN_RTT_THRESHOLD_US = 0'),
  linux('HyStart: one sample is enough', 'this.#samples < MIN_SAMPLES', 'false'),
  linux('HyStart: trains mean nothing', '(hystart_detect & TRAIN) !== 0', 'false'),
  linux('HyStart: delay means nothing', '(hystart_detect & DELAY) !== 0', 'false'),
  linux('HyStart: below the low window, too', 'if (connection.cwnd < hystart_low_window) return;', ''),
  linux(
    'HyStart: a train has no end',
    'if (nowUs - this.#lastAck > connection.context.config.hystart_ack_delta_us) return false;',
    '',
  ),
  {
    name: 'HyStart: cannot be switched off',
    file: 'tcp/congestion/cubic',
    find: 'if (hystart === 0 || ',
    replace: 'if (',
  },
];
