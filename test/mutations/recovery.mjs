/**
 * What test/rfc/{2883,3042,3522,4015,5681,5682,6298,6582,6675,6937,7661,8985}, test/tcp and test/packetdrill/{recovery,loss,congestion} hold of
 * loss recovery: a group for each file of src/tcp that has a share in it.
 */
const at = (file, prefix) => (name, find, replace) => ({
  name: `${prefix}: ${name}`,
  file: `tcp/${file}`,
  find,
  replace,
});
const recovery = at('recovery', 'recovery');
const prr = at('prr', 'PRR');
const undo = at('undo', 'undo');
const frto = at('f-rto', 'F-RTO');
const reno = at('new-reno', 'NewReno');
const rack = at('rack', 'RACK');
const reordering = at('reordering', 'reordering');
const dsack = at('d-sack', 'D-SACK');
const probe = at('tail-loss-probe', 'TLP');
const timer = at('sending-timer', 'timer');
const acknowledge = at('acknowledge', 'ACK');
const output = at('output', 'output');
const use = at('congestion-use', 'cwnd');
const rtt = at('round-trip', 'RTO');
const runs = at('sent-runs', 'scoreboard');
const timeouts = at('timeouts', 'timeout');
const busy = at('busy-time', 'busy time');

export default [
  // Which state, and when it is left
  recovery('a reneger is not waited for', 'if (waitForReneger(connection, news, now)) return;', ''),
  recovery('a reneger is waited for an RTO', 'Math.max(connection.srttUs / 2000, RENEGING_WAIT)', '1000'),
  recovery('RACK spares what a reneger dropped', 'const byTime = !reneged && usesRack', 'const byTime = usesRack'),
  recovery('CWR is never left', 'endReduction(connection); connection.caState = CA_OPEN;', 'endReduction(connection);'),
  recovery(
    'CWR is left at once',
    'caState === CA_CWR && connection.sndUna !== connection.recover',
    'caState === CA_CWR',
  ),
  recovery(
    'recovery ends without ssthresh',
    'if (tryUndoRecovery(connection, news)) return true; endReduction(connection);',
    'if (tryUndoRecovery(connection, news)) return true;',
  ),
  recovery('doubt is no disorder', 'const inDoubt = runs.sackedOut + runs.lostOut > 0 ||', 'const inDoubt ='),
  recovery(
    'what was sent again is in no doubt',
    'runs.lostOut > 0 || anythingSentAgain(connection)',
    'runs.lostOut > 0',
  ),
  recovery('a partial undo holds nothing back', 'recoveryOf(connection).holding = true;', ''),
  recovery('what is held back stays so', 'if (recovery !== undefined) recovery.holding = false;', ''),
  recovery(
    'ECE leaves the reduction undoable',
    'if (news.ece && recovery !== undefined) recovery.priorSsthresh = 0;',
    '',
  ),
  recovery(
    'D-SACKs undo nothing in recovery',
    'if (tryUndoByDuplicates(connection)) toOpen(connection, news, now);',
    '',
  ),
  recovery(
    'D-SACKs undo nothing after recovery',
    'if (connection.caState <= CA_DISORDER) tryUndoByDuplicates(connection);',
    '',
  ),
  recovery(
    'a lost retransmission is not counted',
    'context.counters.TCPLostRetransmit += retransOut - runs.retransOut;',
    '',
  ),
  recovery('a loss in Loss is no new one', 'connection.caState === CA_LOSS && news.lostAgain', 'false'),
  recovery('RFC 6675 never used', 'if (!usesRack(connection)) return markLostBySack(connection);', ''),
  recovery('what lies behind the highest SACKed counts', 'above >= connection.reordering &&', 'above >= 0 &&'),
  // The reordering timer
  recovery(
    'its timeout finds nothing',
    'rackDetectLosses(connection, now); if (runs.inFlight() !== before) {',
    'if (false) {',
  ),
  recovery(
    'its timeout begins no recovery',
    'if (connection.caState !== CA_RECOVERY) { enterRecovery(connection, false);',
    'if (connection.caState !== CA_RECOVERY) {',
  ),
  recovery('its timeout sends nothing', 'connection.context.markDirty(connection); // The oldest', '// The oldest'),
  recovery('its timeout in vain leaves no timer', 'else { rearmRetransmission(connection, now); }', ''),
  recovery(
    'it is set anew',
    'armReordering(connection, now + wait + TIMEOUT_MIN); news.timerSet = true;',
    'armReordering(connection, now + wait + TIMEOUT_MIN);',
  ),
  // The retransmission timeout
  recovery(
    'a timeout forgets what it may undo',
    'connection.congestion.timedOut?.(connection); startUndo(connection);',
    'connection.congestion.timedOut?.(connection);',
  ),
  recovery('a timeout spares the congestion control', 'connection.congestion.timedOut?.(connection);', ''),
  recovery('cwnd of one, whatever is out', 'connection.cwnd = runs.inFlight() + 1;', 'connection.cwnd = 1;'),
  recovery(
    'a timeout loses what RACK gives time',
    'if (byTime && run !== head && rackTimeLeft(connection, run, 0, now) > 0) continue;',
    '',
  ),
  recovery(
    'a timeout leaves the probe',
    'recovery.probing = false; queueCwr(connection); // RFC 5682',
    'queueCwr(connection); // RFC 5682',
  ),
  recovery('recoveries are not counted', 'counters.TCPSackRecovery++;', ';'),
  recovery('recoveries without SACK are not counted', 'counters.TCPRenoRecovery++;', ';'),
  recovery(
    'a recovery cannot be undone',
    'recovery.priorSsthresh = 0; startUndo(connection); if (!inReduction',
    'recovery.priorSsthresh = 0; if (!inReduction',
  ),
  recovery('a recovery with ECE can be undone', 'if (!ece) recovery.priorSsthresh', 'recovery.priorSsthresh'),
  recovery('a recovery reduces what CWR has reduced', 'if (!inReduction(connection)) {', 'if (true) {'),
  recovery('CWR twice in a window', 'if (connection.caState >= CA_CWR) return;', ''),
  recovery('CWR can be undone', 'recovery.undoable = false; startReduction', 'startReduction'),

  // RFC 6937
  prr('only ssthresh', 'if (room < 0) {', 'if (false) {'),
  prr('no slow start below ssthresh', 'if (news.advanced && news.lost === 0) count++;', ''),
  prr(
    'slow start though more is lost',
    'if (news.advanced && news.lost === 0) count++;',
    'if (news.advanced) count++;',
  ),
  prr('slow start without progress', 'if (news.advanced && news.lost === 0) count++;', 'if (news.lost === 0) count++;'),
  prr('bursts up to ssthresh', 'count = Math.min(room, count);', 'count = room;'),
  prr('beyond ssthresh', 'count = Math.min(room, count);', ''),
  prr(
    'what was delivered before does not count',
    'recovery.prrDelivered += delivered;',
    'recovery.prrDelivered = delivered;',
  ),
  prr('what is sent does not count', '/ recovery.priorCwnd) - recovery.prrOut;', '/ recovery.priorCwnd);'),
  prr('rounds down', 'Math.ceil((recovery.prrDelivered', 'Math.floor((recovery.prrDelivered'),
  prr('an acknowledgment of nothing counts', 'if (delivered <= 0 || recovery.priorCwnd === 0) return;', ''),
  prr('prr_out outlives a recovery', 'recovery.prrOut = 0;', ''),
  prr('prr_delivered outlives a recovery', 'recovery.prrDelivered = 0;', ''),
  prr('recovery does not end at ssthresh', 'connection.cwnd = connection.ssthresh;', ';'),
  prr(
    'what was undone ends at ssthresh',
    'if (connection.caState === CA_CWR || connection.recovery?.undoable === true)',
    'if (true)',
  ),
  prr('the high mark stays', 'connection.recover = connection.sndNxt; recovery.probing', 'recovery.probing'),
  prr('three quarters are not remembered', '(cwnd >> 1) + (cwnd >> 2)', '0'),

  // RFC 3522, 4015, and D-SACK's undo
  undo(
    'nothing ever',
    'return recovery.undoable && (recovery.undoRetrans === 0 || wasDelayed(connection, news));',
    'return false;',
  ),
  undo(
    'timestamps tell nothing',
    'return news.hasEcho && before(news.echo, recovery.retransmitStamp);',
    'return false;',
  ),
  undo(
    'any timestamp tells',
    'return news.hasEcho && before(news.echo, recovery.retransmitStamp);',
    'return news.hasEcho;',
  ),
  undo('D-SACKs tell nothing', '|| recovery.undoRetrans !== 0) return false;', ') return false; return false;'),
  undo('one D-SACK tells all', '|| recovery.undoRetrans !== 0) return false;', ') return false;'),
  undo(
    'cwnd stays',
    'connection.cwnd = Math.max(cwnd, congestion.undoWindow?.(connection) ?? recovery.priorCwnd);',
    '',
  ),
  undo('ssthresh stays', 'connection.ssthresh = recovery.priorSsthresh;', ''),
  undo('though congestion was reported', 'if (recovery.priorSsthresh > 0) {', 'if (true) {'),
  undo('twice', 'recovery.undoable = false; rackLookAgain', 'rackLookAgain'),
  undo('what is lost stays so', 'if (found) connection.runs.unmarkLost();', ''),
  undo('CWR goes all the same', 'withdrawCwr(connection);', ''),
  undo(
    'of what was sent again before',
    'recovery.undoRetrans = connection.runs.retransOut;',
    'recovery.undoRetrans = 0;',
  ),
  undo('a probe does not count', 'if (recovery.probing && recovery.probeRetransmitted) recovery.undoRetrans++;', ''),
  undo(
    'a partial acknowledgment undoes nothing',
    'if (!recovery.undoable || !wasDelayed(connection, news))',
    'if (true)',
  ),
  undo('a partial one does not wait', "if (runs.retransOut > 0) return 'wait';", ''),
  undo(
    'a partial one tells of no reordering',
    'checkReordering(connection, news.priorUna, runs.sackedOut > 0 ? runs.highestSacked : connection.sndUna, true);',
    '',
  ),
  undo('of a timeout goes on with Loss', 'if (found || connection.sackOk) connection.caState = CA_OPEN;', ''),
  undo('of a timeout keeps the retransmissions', 'connection.retransmits = 0;', ''),
  undo('of a timeout is not counted', 'counters.TCPLossUndo++; if (found)', 'if (found)'),
  undo('recovery: not counted', 'else counters.TCPFullUndo++;', ''),
  undo('a spurious timeout is not counted', 'if (found) counters.TCPSpuriousRTOs++;', ''),
  undo('by D-SACK is not counted', 'connection.context.counters.TCPDSACKUndo++;', ''),
  undo('partial is not counted', 'connection.context.counters.TCPPartialUndo++;', ''),
  undo('a recovery that was called for lasts no window', 'else { rackRecovered(connection); }', ''),

  // RFC 5682
  frto('never', 'if (recovery.frto) {', 'if (false) {'),
  recovery('F-RTO though tcp_frto is 0', 'context.config.tcp_frto > 0 &&', 'true &&'),
  recovery('F-RTO within another recovery', '(caState < CA_RECOVERY || connection.retransmits > 0)', 'true'),
  recovery(
    'F-RTO for the first timeout alone',
    '(caState < CA_RECOVERY || connection.retransmits > 0)',
    'caState < CA_RECOVERY && connection.retransmits === 0',
  ),
  frto('step 3b: nothing found', 'if (news.originalDelivered && tryUndoLoss(connection, news, true)) return;', ''),
  frto('step 3b: anything is', 'news.originalDelivered && tryUndoLoss', 'tryUndoLoss'),
  frto('step 3a: duplicates tell nothing', 'if (news.sacked > 0 || news.duplicate) recovery.frto = false;', ''),
  frto('step 2b: no new data', 'recovery.newDataFirst = true; return;', 'recovery.frto = false;'),
  frto('step 2b: without room', 'if (maySendNew(connection)) {', 'if (true) {'),
  frto('step 2b: forgotten without new data', 'return; } recovery.frto = false;', 'return; }'),
  frto('step 2a: Loss is never left', 'tryUndoRecovery(connection, news); return;', 'return;'),
  frto('step 2a: duplicates stay', 'if (!connection.sackOk) forgetDuplicates(connection); tryUndo', 'tryUndo'),
  frto('timestamps undo no timeout', 'if (news.advanced && tryUndoLoss(connection, news, false)) return;', ''),
  frto('duplicates of new data do not count', 'news.duplicate) addDuplicate(connection, news);', 'false) ;'),
  output(
    'F-RTO: lost goes before new',
    'if (recovery?.newDataFirst === true) return sendNewFirst(connection, recovery, now);',
    '',
  ),
  output(
    'F-RTO: what is lost goes while it is open',
    'if (recovery?.frto === true && after(connection.sndNxt, connection.recover)) return true;',
    '',
  ),
  output(
    'F-RTO: without new data nothing is lost',
    'recovery.frto = false; return sendLost(connection, now);',
    'return true;',
  ),
  runs(
    'F-RTO: retransmissions are originals',
    'noteOriginal(news, run, behind); } if (!reported',
    '} noteOriginal(news, run, behind); if (!reported',
  ),
  runs(
    'F-RTO: what was sent since is an original',
    'if (!after(run.end, news.highSeq)) news.originalDelivered = true;',
    'news.originalDelivered = true;',
  ),
  acknowledge('F-RTO: without SACK anything is', 'if (news.ackedAgain) news.originalDelivered = false;', ''),

  // RFC 6582 without SACK
  reno('what was counted stays', 'runs.sackedOut = Math.max(runs.sackedOut - (acked - 1), 0);', ''),
  reno(
    'an acknowledgment delivers all it acknowledges',
    'news.delivered += Math.max(acked - runs.sackedOut, 1);',
    'news.delivered += acked;',
  ),
  reno('duplicates deliver nothing', 'news.delivered += Math.max(runs.sackedOut - before, 0);', ''),
  reno('all of a super-segment is lost', 'runs.cutBehind(head, 1);', ''),
  reno('reordering is not noted', 'recoveryOf(connection).reorderings++;', ''),
  reordering('more duplicates than segments', 'runs.sackedOut = runs.packetsOut - holes;', ''),
  reordering('any order is none', 'if (!before(low, forward)) return;', 'return;'),
  reordering('DupThresh stays', 'connection.reordering = Math.min(segments, context.config.tcp_max_reordering);', ''),
  reordering('DupThresh without bound', 'Math.min(segments, context.config.tcp_max_reordering)', 'segments'),
  reordering('by timestamps is not counted apart', 'if (byTimestamp) context.counters.TCPTSReorder++; else', ''),
  acknowledge(
    'reordering is not looked for',
    'if (news.reordered) checkReordering(connection, news.reorderedSeq, news.priorForward, false);',
    '',
  ),
  runs(
    'the highest reordered counts',
    'if (!behind || (news.reordered && !before(run.seq, news.reorderedSeq))) return;',
    'if (!behind) return;',
  ),

  // RFC 2883 as the sender
  dsack('never', 'if (before(left, ack)) return after(right, left);', 'return false;'),
  dsack('not within a later block', 'return sackCount > 1 &&', 'return false &&'),
  dsack(
    'whatever is dubious',
    'if (length > connection.maxSndWnd || recovery.duplicates > connection.totalRetrans) {',
    'if (false) {',
  ),
  dsack(
    'a probe that came twice widens the window',
    'news.probeDuplicated = true; else rackDuplicate',
    'news.probeDuplicated = true; rackDuplicate',
  ),
  dsack('nothing is delivered', 'news.delivered += pieces;', ''),
  dsack('undo counts nothing', 'duplicateCounts(connection, left, right, pieces, news);', ''),
  dsack('of an earlier episode', 'before(recovery.undoMarker, right) ? pieces : 0', 'pieces'),
  dsack(
    'of what was not sent again',
    'count = runs.sentAgainWithin(left, right, recovery.undoMarker);',
    'count = pieces;',
  ),
  dsack('what is still out does not count', 'count = runs.sentAgainWithin(left, right, recovery.undoMarker);', ''),
  dsack('old and out of order are one', 'if (before(left, news.priorUna)) counters.TCPDSACKRecv++; else', ''),
  dsack('beyond undo is not counted', 'context.counters.TCPDSACKIgnoredNoUndo++;', ''),

  // RFC 8985 6, beyond rack.mjs
  rack('its RTT stays', 'rack.rtt = now - (news.lastAckedAt >= 0 ? news.lastAckedAt : news.lastSackedAt);', ''),
  rack(
    'what was delivered last goes back',
    'if (rack.sentAt >= 0 && !sentAfter(news.newestSentAt, news.newestEnd, rack.sentAt, rack.endSeq)) return;',
    '',
  ),
  rack(
    'tcp_recovery 2 means nothing',
    '|| (context.config.tcp_recovery & TCP_RACK_STATIC_REO_WND) !== 0) return;',
    ') return;',
  ),
  rack(
    'tcp_recovery 4 means nothing',
    '(connection.context.config.tcp_recovery & TCP_RACK_NO_DUPTHRESH) === 0',
    'true',
  ),
  rack('a D-SACK twice in a round trip', 'rack.inDsackRound = true;', ''),
  rack('of one time the order does not matter', '|| (sentAt === otherSentAt && after(end, otherEnd))', ''),

  // RFC 8985 7
  probe('never', 'if (!on || runs.packetsOut === 0', 'if (true || runs.packetsOut === 0'),
  probe(
    'tcp_early_retrans 0 means nothing',
    'const on = config.tcp_early_retrans === 3 || config.tcp_early_retrans === 4;',
    'const on = true;',
  ),
  probe('without SACK', '|| !connection.sackOk ||', '||'),
  probe('in recovery, too', '|| (caState !== CA_OPEN && caState !== CA_CWR)) return false;', ') return false;'),
  probe('after one round trip', '2 * srttUs +', 'srttUs +'),
  probe(
    'a single segment may not be delayed',
    'runs.packetsOut === 1 ? leastRtoUs(connection) : TIMEOUT_MIN * 1000',
    'TIMEOUT_MIN * 1000',
  ),
  probe('after the RTO', 'due > now ? Math.min(now + wait, due) : now + wait', 'now + wait'),
  probe(
    'the RTO counts from before',
    'advanced ? now + retransmissionTimeout(connection) : timeoutDue(connection)',
    'timeoutDue(connection)',
  ),
  probe('without a sample at once', 'let wait = INITIAL_RTO_US / 1000;', 'let wait = 2;'),
  probe('two at a time', 'if (connection.recovery?.probing === true) return rearmRetransmission(connection, now);', ''),
  probe(
    'never acknowledged',
    'if (recovery === undefined || !recovery.probing || before(ack, recovery.probeEnd)) return;',
    'return;',
  ),
  probe('any acknowledgment answers', '|| before(ack, recovery.probeEnd)) return;', ') return;'),
  probe(
    'new data is a loss',
    'if (!recovery.probeRetransmitted || news.probeDuplicated) {',
    'if (news.probeDuplicated) {',
  ),
  probe(
    'a duplicate is a loss',
    'if (!recovery.probeRetransmitted || news.probeDuplicated) {',
    'if (!recovery.probeRetransmitted) {',
  ),
  probe(
    'a loss repaired costs nothing',
    'startReduction(connection, false); connection.caState = CA_CWR; endReduction(connection);',
    '',
  ),
  probe('a loss repaired leaves CWR', 'keepOpen(connection);', ''),
  probe(
    'any later acknowledgment is a duplicate',
    '!news.advanced && !news.text && !news.windowMoved && news.acked === 0 && news.sacked === 0',
    'true',
  ),
  probe(
    'a duplicate acknowledgment ends nothing',
    '!news.advanced && !news.text && !news.windowMoved && news.acked === 0 && news.sacked === 0',
    'false',
  ),
  probe('probes are not counted', 'connection.context.counters.TCPLossProbes++;', ''),
  probe('repairs are not counted', 'connection.context.counters.TCPLossProbeRecovery++;', ''),
  output('TLP: never new data', 'if (length > 0 && length <= window) {', 'if (false) {'),
  output('TLP: beyond the window', 'if (length > 0 && length <= window) {', 'if (length > 0) {'),
  output(
    'TLP: never the last segment',
    'const last = runs.lastPiece(); if ((last.marks & (LOST | SACKED)) === 0) {',
    'const last = runs.lastPiece(); if (false) {',
  ),
  output('TLP: all that is out', 'const last = runs.lastPiece();', 'const last = runs.last;'),
  output(
    'TLP: the FIN goes beyond the window',
    'const fin = connection.finQueued && length === waiting && length < window ? 1 : 0;',
    'const fin = connection.finQueued && length === waiting ? 1 : 0;',
  ),
  output(
    'TLP: another behind it',
    'if (connection.sndNxt !== sndNxt && !probeDue) scheduleProbe',
    'if (connection.sndNxt !== sndNxt) scheduleProbe',
  ),
  output(
    'TLP: not for new data',
    'if (connection.sndNxt !== sndNxt && !probeDue) scheduleProbe(connection, false, now);',
    '',
  ),
  output(
    'TLP: no timer behind it',
    'connection.sendingFor = WAIT_RETRANSMISSION; rearmRetransmission(connection, now); return true;',
    'return true;',
  ),
  output(
    'TLP: new data keeps the probe of the old',
    'if (out === 0 || connection.sendingFor === WAIT_PROBE) rearmRetransmission',
    'if (out === 0) rearmRetransmission',
  ),
  acknowledge(
    'TLP: acknowledgments set no probe',
    'if ((caState === CA_OPEN || caState === CA_CWR) && scheduleProbe(connection, true, now)) return;',
    '',
  ),

  // The timer, and RFC 6298
  timer(
    'after another it starts from now',
    'const due = fresh ? now + retransmissionTimeout(connection) : Math.max(timeoutDue(connection), now + 1);',
    'const due = now + retransmissionTimeout(connection);',
  ),
  timer(
    'it always counts from the oldest',
    'const fresh = connection.sendingFor === WAIT_RETRANSMISSION;',
    'const fresh = false;',
  ),
  timer('no reordering timer', 'connection.sendingFor = WAIT_REORDERING; connection.setTimer(RETRANSMISSION, at);', ''),
  timer(
    'no probe timer',
    'connection.sendingFor = WAIT_PROBE; connection.setTimer(RETRANSMISSION, at);',
    'connection.sendingFor = WAIT_RETRANSMISSION; connection.setTimer(RETRANSMISSION, at + 1e6);',
  ),
  output(
    'the oldest sent again keeps the old timer',
    'if (isHead && connection.sendingFor !== WAIT_REORDERING && connection.backoff === 0) {',
    'if (false) {',
  ),
  acknowledge('SACK of what is older restarts nothing', '|| (measured && headIsOlder(connection))', ''),
  acknowledge('any SACK restarts the timer', '&& news.sackedFirstAt < runs.first.sentAt;', ';'),
  acknowledge('SACK gives no sample', 'else if (news.sackedFirstAt >= 0) {', 'else if (false) {'),
  acknowledge(
    'a sample from the original beside what was sent again',
    'if (news.ackedFirstAt >= 0 && !news.ackedAgain) {',
    'if (news.ackedFirstAt >= 0) {',
  ),
  rtt('the deviation stays', 'adaptVariance(connection, rtt - connection.srttUs);', ''),
  rtt('shorter round trips lengthen it', 'if (deviation < 0 && change > 0) change /= 8;', ''),
  rtt('RTTVAR never falls', 'connection.rttvarUs -= Math.floor((connection.rttvarUs - connection.mdevMaxUs) / 4);', ''),
  rtt('RTTVAR falls with every sample', 'if (!after(connection.sndUna, connection.rttSeq)) return;', ''),
  rtt(
    'the least round trip is the latest',
    'noteLeastRoundTrip(connection, recent, now);',
    'connection.minRttUs = recent;',
  ),

  // The scoreboard
  runs('SACKed stays lost', 'this.#noLongerLost(target, pieces);', ''),
  runs(
    'what is SACKed is lost again',
    'if ((run.marks & SACKED) !== 0) return; if ((run.marks & RETRANSMITTED)',
    'if ((run.marks & RETRANSMITTED)',
  ),
  runs('a lost retransmission stays out', 'run.marks &= ~RETRANSMITTED; this.retransOut -= pieces;', ''),
  runs(
    'undone, lost stays counted',
    'this.lostOut = 0; this.sparedOut = this.retransOut;',
    'this.sparedOut = this.retransOut;',
  ),
  runs(
    'undone, what was sent again counts as repaired',
    'this.lostOut = 0; this.sparedOut = this.retransOut;',
    'this.lostOut = 0;',
  ),
  runs(
    'the time of the first sending stays',
    'run.marks |= RETRANSMITTED | SENT_AGAIN; run.sentAt = now;',
    'run.marks |= RETRANSMITTED | SENT_AGAIN;',
  ),
  runs(
    'what is lost goes in no order',
    'if ((run.marks & (LOST | RETRANSMITTED | SACKED)) === LOST) return run;',
    'if ((run.marks & LOST) === LOST) return run;',
  ),

  // RFC 5681 3.2, RFC 3042, RFC 6675: what goes out
  output('a partial undo goes on sending again', 'if (recovery?.holding === true) return true;', ''),
  output(
    'lost only after new',
    'return sendLost(connection, now) && sendNew(connection, now);',
    'return sendNew(connection, now) && sendLost(connection, now);',
  ),
  output(
    'what is sent in recovery does not count',
    'if (inReduction(connection)) recoveryOf(connection).prrOut += runs.packetsOut - out;',
    '',
  ),
  output(
    'what is sent again does not count',
    'if (inReduction(connection)) recoveryOf(connection).prrOut += pieces;',
    '',
  ),
  output(
    'fast retransmits are not counted',
    'if (connection.caState !== CA_LOSS) counters.TCPFastRetrans += pieces; else',
    '',
  ),
  output(
    'what is sent again cannot be undone',
    'recovery.undoRetrans = Math.max(recovery.undoRetrans, 0) + pieces;',
    '',
  ),
  output('when it was first sent again is not noted', 'recovery.retransmitStamp = timestampNow(connection, now);', ''),
  output('the latest time it was sent again counts', 'if (recovery.retransmittedAt < 0) {', 'if (true) {'),
  acknowledge(
    'limited transmit: duplicates let nothing go',
    'connection.runs.packetsOut > 0; updateRecovery(connection, news, now);',
    'connection.runs.packetsOut > 0; const { sackedOut } = connection.runs; updateRecovery(connection, news, now); if (connection.caState < 3 && news.duplicate) connection.runs.sackedOut = sackedOut;',
  ),
  acknowledge('a shrinking window is news', '(window === 0 && connection.sndWnd > 0)', 'window !== connection.sndWnd'),

  // RFC 5681 4.1, RFC 2861, RFC 7661
  use(
    'unused, it does not decay',
    'if (now - connection.windowUsedAt >= connection.rtoUs / 1000) decay(connection, now);',
    '',
  ),
  use('unused, it decays at once', 'now - connection.windowUsedAt >= connection.rtoUs / 1000', 'true'),
  use('it decays though a full buffer holds back', '|| connection.noSpace ||', '||'),
  use('it decays in recovery', 'if (connection.caState !== CA_OPEN || connection.noSpace', 'if (connection.noSpace'),
  use('it decays to what was used', '(connection.cwnd + used) >> 1', 'used'),
  use(
    'it decays below the initial window',
    'Math.max(connection.windowUsed, initialCwnd(connection))',
    'connection.windowUsed',
  ),
  use(
    'tcp_slow_start_after_idle 0 decays',
    'if (!config.tcp_slow_start_after_idle || connection.congestion.control !== undefined) return;',
    'if (connection.congestion.control !== undefined) return;',
  ),
  use('decayed, ssthresh forgets', 'connection.ssthresh = currentSsthresh(connection);', ''),
  use(
    'in slow start it must be full',
    'return connection.cwnd < connection.ssthresh && connection.cwnd < 2 * connection.maxPacketsOut;',
    'return false;',
  ),
  use(
    'what was full once is in use for good',
    'connection.windowWasFull = connection.cwndLimited;',
    'connection.windowWasFull ||= connection.cwndLimited;',
  ),
  use('what is SACKed never counts', 'news.acked > 0 || (reorders && news.sacked > 0)', 'news.acked > 0'),
  use(
    'what is SACKed always counts',
    'news.acked > 0 || (reorders && news.sacked > 0)',
    'news.acked > 0 || news.sacked > 0',
  ),

  // Timeouts, as Linux counts them
  timeouts('after recovery is not counted', 'counters.TCPSackRecoveryFail++;', ';'),
  timeouts('after disorder is not counted', 'counters.TCPSackFailures++;', ';'),
  timeouts('in Loss is not counted', 'counters.TCPLossFailures++;', ';'),
  timeouts(
    'timeouts are not counted',
    'counters.TCPTimeouts++; if (connection.retransmits > 0) return;',
    'if (connection.retransmits > 0) return;',
  ),

  // TCP_INFO's times
  busy('never', 'if (connection.busyTime.state === IDLE) connection.busyTime.set(BUSY, now);', ''),
  busy('for ever', 'if (connection.sndUna === connection.sendEnd) connection.busyTime?.set(IDLE, now);', ''),
  busy('the window never limits', 'busyTime.set(RWND_LIMITED, now);', ';'),
  busy(
    'the window limits for ever',
    'else if (!limited && busyTime.state === RWND_LIMITED) busyTime.set(BUSY, now);',
    '',
  ),
  busy('the buffer never limits', 'if (limited) busyTime.set(SNDBUF_LIMITED, now); else', ''),
  busy('the buffer limits for ever', 'else if (busyTime.state === SNDBUF_LIMITED) busyTime.set(BUSY, now);', ''),
  busy('what runs does not count', 'state === this.state ? Math.round((now - this.since) * 1000) : 0', '0'),
  busy('limited is not busy', 'busyTime.in(BUSY, now) + window + buffer', 'busyTime.in(BUSY, now)'),
];
