/** What test/rfc/8985 and test/tcp/found-by-simulation.test.ts hold of RACK, of probes and of SYNs. */
const rack = (name, find, replace) => ({ name, file: 'tcp/rack', find, replace });

export default [
  rack('RACK: an enlarged window stays for good', 'if (rack !== undefined && rack.persist > 0) rack.persist--;', ''),
  rack('RACK: D-SACKs enlarge nothing', '(rack.multiplier * connection.minRttUs) / 4', 'connection.minRttUs / 4'),
  rack('RACK: the window may be longer than SRTT', ', connection.srttUs) / 1000', ', Infinity) / 1000'),
  {
    name: 'RACK: reordering is not noted',
    file: 'tcp/reordering',
    find: 'recoveryOf(connection).reorderings++;',
    replace: '',
  },
  rack('RACK: a window in recovery, too', 'if (connection.caState >= CA_RECOVERY) return 0;', ''),
  rack(
    'RACK: DupThresh means nothing',
    'if (counts && connection.runs.sackedOut >= connection.reordering) return 0;',
    '',
  ),
  rack('RACK: a retransmission is believed at once', 'return Math.min(now - minRtt, echo);', 'return echo;'),
  rack('RACK: TSecr is not looked at', 'return Math.min(now - minRtt, echo);', 'return now - minRtt;'),
  rack(
    'RACK: lost retransmissions stay lost',
    '(run.marks & (LOST | RETRANSMITTED)) === LOST',
    '(run.marks & (LOST | RETRANSMITTED)) !== 0',
  ),
  rack(
    'RACK: what was sent later is lost as well',
    'if (!sentAfter(rack.sentAt, rack.endSeq, run.sentAt, run.end)) continue;',
    '',
  ),
  {
    file: 'tcp/sent-runs',
    name: 'RACK: a retransmission behind is reordering',
    find: 'if (again) { news.ackedAgain = true; }',
    replace: 'if (again) { news.ackedAgain = true; noteOriginal(news, run, behind); }',
  },
  {
    file: 'tcp/recovery',
    name: 'RACK: no timer',
    find: 'armReordering(connection, now + wait + TIMEOUT_MIN); news.timerSet = true;',
    replace: '',
  },
  {
    name: 'a SYN waits its second after a wrong acknowledgment',
    file: 'tcp/arrives-syn-sent',
    find: 'if (connection.retransmits === 0) connection.setTimer(RETRANSMISSION, now + TIMEOUT_MIN);',
    replace: '',
  },
  {
    name: 'a probe takes the delayed acknowledgment with it',
    file: 'tcp/transmit',
    find: '=== ACK && !before(seq, connection.sndUna)) acknowledgmentSent',
    replace: '=== ACK) acknowledgmentSent',
  },
];
