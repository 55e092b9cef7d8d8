#!/usr/bin/env bash
# Fills corpus/ with the logs that fuzzing starts from: excerpts of real logs, the cases of the formats and hostile input.
# The targets `records` and `formats` take their settings from the first bytes, so each seed gets some in front.
set -euo pipefail
cd "$(dirname "$0")"

# seed TARGET SETTINGS FILE…
seed() {
    local target=$1 settings=$2 file
    shift 2
    mkdir -p "corpus/$target"
    for file in "$@"; do
        { printf '%b' "$settings"; cat "$file"; } > "corpus/$target/seed-$(printf '%s' "$file" | tr -c 'A-Za-z0-9\n' '-')"
    done
}

mapfile -t cases < <(find ../tests/data/formats -name 'input*' -type f -size -24k | sort)
mapfile -t hostile < <(find ../tests/data/hostile -type f -size -24k | sort)

seed records '\0100\0200\0300\0020' seeds/* "${cases[@]}" "${hostile[@]}"
seed formats '\0001\0100\0000' "${cases[@]}"
seed formats '\0001\0100\0001' seeds/*
seed round_trip '' seeds/* ../tests/data/hostile/round-trip.jsonl
seed bodies '' seeds/*
# Each byte is a layer; the words around an event are whatever follows.
seed marks '\0000\0000\0007\0000\0003\0004' seeds/*
seed marks '\0001\0002\0100\0010\0003\0006' seeds/*
