/** What test/tcp holds of BBR, of rate samples and of the pacer. */
const bbr = (name, find, replace) => ({ name: `BBR: ${name}`, file: 'tcp/congestion/bbr', find, replace });
const model = (name, find, replace) => ({ name: `BBR: ${name}`, file: 'tcp/congestion/bbr-model', find, replace });
const probe = (name, find, replace) => ({ name: `BBR: ${name}`, file: 'tcp/congestion/bbr-probe', find, replace });
const pacer = (name, find, replace) => ({ name: `pacer: ${name}`, file: 'tcp/pacer', find, replace });
const rate = (name, find, replace) => ({ name: `rate sample: ${name}`, file: 'tcp/rate-sample', find, replace });

export default [
  bbr('Startup never ends', 'bbr.state = DRAIN;', ''),
  bbr('no Drain', 'bbr.state !== DRAIN || connection.runs.inFlight() >', 'bbr.state !== DRAIN || false &&'),
  bbr('gains', '[2.77, 0.5, 0.9, 1, 1, 1.25, 1]', '[2.77, 0.5, 1, 1, 1, 1, 1]'),
  bbr('no margin', 'PACING_MARGIN = 0.99', 'PACING_MARGIN = 1'),
  bbr('no ProbeRTT', 'bbr.state = PROBE_RTT;', ''),
  bbr('ProbeRTT with the whole window', 'cwnd = Math.min(cwnd, this.#probeRttWindow(connection));', ''),
  bbr('ProbeRTT for a moment', 'PROBE_RTT_DURATION = 200', 'PROBE_RTT_DURATION = 0'),
  bbr(
    'no window after ProbeRTT',
    'connection.cwnd = Math.max(connection.cwnd, bbr.priorCwnd); resetLowerBounds(bbr);',
    '',
  ),
  bbr('no bound', 'Math.min(cwnd, Math.max(this.#bound(), LEAST_WINDOW))', 'cwnd'),
  bbr('no undo', 'bbr.bwLow = Math.max(bbr.bwLow, bbr.undoBwLow);', ''),
  bbr('losses are not told', 'runs.onLost = (run, pieces) => this.#lost(connection, run, pieces);', ''),
  bbr('it stays when another comes', 'runs.onLost = undefined;', ''),
  model(
    'any loss brings the bounds down',
    '!bbr.probing && lostTooMuch(bbr.lostInRound, sent)',
    '!bbr.probing && bbr.lostInRound > 0',
  ),
  model('no loss brings the bounds down', 'bbr.bwLow = Math.max(bbr.bwLatest, BETA * bbr.bwLow);', ''),
  model('half a plateau', 'FULL_BW_ROUNDS = 3', 'FULL_BW_ROUNDS = 20'),
  model('no headroom', 'return Math.max(bbr.inflightHigh - room, LEAST_WINDOW);', 'return bbr.inflightHigh;'),
  model('2 % are a third', 'lost > inFlight * LOSS_THRESHOLD', 'lost > inFlight / 3'),
  model('the whole burst counts', 'Math.floor(inFlightBefore + Math.max(prefix, 0))', 'inFlight'),
  probe('never', 'if (now > bbr.cycleStart + bbr.probeWait) return true;', 'return false;'),
  probe('only by time', 'return bbr.roundsSinceProbe >= renoRounds;', 'return false;'),
  probe('without a refill', 'if (bbr.roundStart) { bbr.probeSamples', 'if (true) { bbr.probeSamples'),
  probe('up for good', 'return bbr.fullBwNow;', 'return false;'),
  pacer('none', 'if (this.nextAt <= now)', 'if (true)'),
  pacer('the first ten wait, too', 'this.#segments < UNPACED ||', ''),
  pacer('lateness is lost', 'this.#waiting ? MOST_LATE : time / 2', 'time / 2'),
  pacer('idleness is no credit', 'this.#waiting ? MOST_LATE : time / 2', 'this.#waiting ? MOST_LATE : 0'),
  pacer('idleness is all credit', 'this.#waiting ? MOST_LATE : time / 2', 'MOST_LATE'),
  pacer('no rest', 'rest() { this.#waiting = false; }', 'rest() { }'),
  pacer(
    'slow start as later',
    'cwnd < ssthresh >> 1 ? tcp_pacing_ss_ratio : tcp_pacing_ca_ratio',
    'tcp_pacing_ca_ratio',
  ),
  pacer('single segments', 'Math.max(Math.floor(Math.min(bytes, LARGEST_BURST) / size), least, 1)', '1'),
  pacer('fq means nothing', "context.config.default_qdisc === 'fq'", 'false'),
  rate('sending counts for nothing', 'Math.max(sample.sendInterval, now - sample.priorAt)', 'now - sample.priorAt'),
  rate('the application is not seen', 'if (dry) limitSamples(connection);', ''),
  rate(
    'limited for good',
    'if (rate.limitedUntil >= 0 && runs.delivered > rate.limitedUntil) rate.limitedUntil = -1;',
    '',
  ),
  rate(
    'a limited sample counts',
    'if (sample.appLimited && sample.delivered * rate.interval < rate.delivered * interval) return;',
    '',
  ),
  {
    name: 'rate sample: of what SACK tells nothing',
    file: 'tcp/sent-runs',
    find: 'noteDelivered(news.rate, run);',
    replace: '',
  },
  {
    name: 'paced: retransmissions do not wait',
    file: 'tcp/output',
    find: 'if (!first && isPaced(connection, now)) return true;',
    replace: '',
  },
  {
    name: 'paced: new data does not wait',
    file: 'tcp/output',
    find: 'if (connection.pacer !== undefined && isPaced(connection, now)) break;',
    replace: '',
  },
  {
    name: 'a control that is chosen late does not begin',
    file: 'tcp/congestion-choice',
    find: '=== 0) beginControl(connection, now);',
    replace: '=== 0) return;',
  },
  {
    name: 'a name may be taken twice',
    file: 'tcp/congestion/congestion',
    find: 'if (table.has(name))',
    replace: 'if (false)',
  },
  {
    name: 'bursts are not put off',
    file: 'tcp/output',
    find: 'if (waitsForMore(',
    replace: 'if (false && waitsForMore(',
  },
  {
    name: 'bursts are put off for good',
    file: 'tcp/deferral',
    find: 'now - lastDataSentAt > LONGEST_WAIT',
    replace: 'false',
  },
];
