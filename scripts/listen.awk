# The reader of `listen`: takes what a connection that speaks JSON is told, prints what was said in
# one room, and asks for what it missed. Fields come in a fixed order, so it needs no tree. Ends
# with 0 when it has printed what was wanted, with 1 when it is refused for good, with 3 when the
# connection ended, and with 4 when that was before it was of use.

BEGIN {
    texts = "\"[^\"]*\""
    item = "^[{]\"id\":[0-9]+,\"time\":" texts ",\"from\":" texts "(,\"me\":true)?,\"text\":" texts
    item = item "(,\"more\":[0-9]+)?[}]"
    passing = " server-full too-many-from-here try-later not-kept room-full too-many-rooms "
    passing = passing "no-name too-slow "
    code = 4
    getline last < (dir "/last")
    close(dir "/last")
}

# Not with gsub: awks disagree on backslashes in what it puts in.
function swap(old, new, of,  parts, n, i, out) {
    n = split(of, parts, old)
    out = parts[1]
    for (i = 2; i <= n; i++) out = out new parts[i]
    return out
}

function send(request) { print request > (dir "/in"); fflush(dir "/in") }
function ask(what) { send("{\"id\":" (++asked) ",\"action\":" what "}") }
# What came meanwhile is in the answer, too, but for what comes from now on.
function ask_history(of) { ask("\"history\",\"room\":\"" room "\"," of); held = is_live = 0 }
function text(key, of) { sub(".*\"" key "\":\"", "", of); sub(/".*/, "", of); return of }
function number(key, of) { sub(".*\"" key "\":", "", of); sub(/[^0-9].*/, "", of); return of }

# Prints a line of the room, which is the last one from now on.
function tell(line,  begin, rows, n, i) {
    last = seen = number("id", line)
    if (json) {
        if (line !~ /^[{]"type"/) {
            sub(/^[{]/, "{\"type\":\"message\",", line)
            sub(/,"from"/, ",\"room\":\"" room "\",\"from\"", line)
        }
        print swap("\002", "\\\"", swap("\001", "\\\\", line))
    } else {
        begin = substr(text("time", line), 12, 8) (line ~ /,"me":true,/ ? " * " : " ")
        begin = begin text("from", line) (line ~ /,"me":true,/ ? " " : ": ")
        n = split(text("text", line), rows, /\\n/)
        for (i = 1; i <= n; i++) {
            print begin swap("\002", "\"", swap("\001", "\\", rows[i]))
        }
    }
    fflush()
}

function tell_new(line) { if (number("id", line) + 0 > seen + 0) tell(line) }
function end(with) { code = with; exit }
function refused(why, said) {
    if (index(passing, " " why " ")) end(4)
    print "! " why " " said > "/dev/stderr"
    end(1)
}

# Of many lines that are one message an earlier line shows the first: it is asked for as a whole.
function tell_earlier(lines) {
    sub(/.*"lines":\[/, "", lines)
    while (match(lines, item)) {
        first = substr(lines, 1, RLENGTH)
        lines = substr(lines, RLENGTH + 2)
        if (is_new) { last = number("id", first); continue }
        if (first ~ /,"more":[0-9]+[}]$/) return ask("\"show\",\"line\":" number("id", first))
        tell(first)
    }
    if (!is_new && $0 ~ /\],"more":true/) return ask_history("\"after\":" last)
    if (once) end(0)
    for (is_live = i = 1; i <= held; i++) tell_new(later[i])
    if (is_new) last += 0
    is_new = held = 0
}

# Quotes and backslashes in texts are set aside, so that a text ends at the next quote.
{ gsub(/\\\\/, "\001"); gsub(/\\"/, "\002"); is_answer = index($0, "\"re\":" asked ",") > 0 }

/^! / { why = $2; sub(/^! [^ ]* /, ""); refused(why, $0) }
/^[{]"type":"face"/ {
    password = swap("\"", "\\\"", swap("[\\\\]", "\\\\", ENVIRON["CHATLINE_PASSWORD"]))
    join = "{\"id\":\"join\",\"action\":\"join\",\"room\":\"" room "\",\"password\":\""
    send(join password "\"}")
}
/^[{]"type":"(made|joined|current)","re":"join"/ { room = text("room", $0) }
/^[{]"type":"ok","re":"join"/ {
    code = 3
    is_new = last == "" && since == ""
    if (last != "") ask_history("\"after\":" last)
    else ask_history(is_new ? "\"lines\":1" : "\"since\":\"" since "\"")
}
/^[{]"type":"message","id":/ && index($0, ",\"room\":\"" room "\",\"from\":") {
    if (is_live) tell_new($0); else later[++held] = $0
}
/^[{]"type":"history"/ && is_answer { tell_earlier($0) }
/^[{]"type":"whole"/ && is_answer {
    sub(/.*"lines":\[/, "")
    match($0, item)
    tell(substr($0, 1, RLENGTH))
    ask_history("\"after\":" last)
}
/^[{]"type":"dropped"/ && code == 3 { ask_history("\"after\":" (last + 0)) }
/^[{]"type":"closed"/ && index($0, ",\"room\":\"" room "\",") {
    refused("closed", text("text", $0))
}
/^[{]"type":"refused"/ {
    if (text("code", $0) == "no-such-line" && is_answer) {
        tell(first)
        ask_history("\"after\":" last)
    } else refused(text("code", $0), text("text", $0))
}
# Not every netcat ends when the server does.
/^[{]"type":"bye"/ { exit }

END { print last > (dir "/last"); exit code }
