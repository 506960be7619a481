# Completion for pawsight. Install: pawsight completion bash > ~/.local/share/bash-completion/completions/pawsight
_pawsight() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) break ;;
    esac
    path="${path:+$path }$word"
    case "$path" in
      "demo"|"ask"|"watch"|"worker"|"gateway"|"compile"|"model"|"model check"|"model inspect"|"model score"|"model calibrate"|"doctor"|"bench"|"stress"|"cost"|"scenes"|"scenes stream"|"scenes draw"|"scenes words"|"scenes gate"|"completion") ;;
      *) path="${path% *}"; break ;;
    esac
  done
  case "$path" in
    "") words="demo ask watch worker gateway compile model doctor bench stress cost scenes completion --help -h --version" ;;
    "demo") words="--help -h --once --listen --seed --fps --events --json --cameras --model --artifacts --precision --cpu --threads" ;;
    "ask") words="--help -h --question -q --mode --choices --beams --max-length --first-token --padding --json --model --artifacts --precision --cpu --threads" ;;
    "watch") words="--help -h --question -q --rules --expect --threshold --for --clear --cooldown --fps --refresh --every-frame --camera --model --artifacts --precision --cpu --threads --events --no-events --json --alerts-only --listen" ;;
    "worker") words="--help -h --config --check-config --print-config --model --artifacts --precision --cpu --threads --teams --empty-model --no-empty-model --peak-gops --listen-http --listen-grpc --listen-metrics --token-file --tls-certificate --tls-key --tls-client-ca --metrics-token-file --metrics-tls --no-metrics-tls --http-threads --max-connections --handshake-timeout --header-timeout --header-bytes --body-timeout --body-rate --idle-timeout --write-timeout --max-body --max-bytes-in-flight --max-calls --max-growth --max-images --max-questions --max-pixels --access-log --access-log-rate --max-batch --max-queue-delay --queue-limit --request-limit --queue-bytes --decoders --shed-target --default-timeout --canary-interval --canary-limit --drain-limit" ;;
    "gateway") words="--help -h --config --check-config --print-config --listen --listen-metrics --hosts --tls-certificate --tls-key --data --receiver-keys --open-secrets --no-open-secrets --new-admin --no-new-admin --workers --worker-token-file --worker-ca --price-per-hour --worker-capacity --autoscale-target --workers-least --workers-most --model --artifacts --precision --cpu --threads --http-threads --gate-threads --max-connections --max-body --max-frame --waiting-bytes --kept-bytes --max-cameras --owner-cameras --max-outstanding --device-rate --device-burst --answer-within --pull-cameras --no-pull-cameras --max-pulled --pull-silence --wrong-tokens --keep-events --keep-deliveries --keep-pictures --access-log --access-log-rate --drain-limit --receiver-networks --receiver-plain --no-receiver-plain --receiver-ca-file --receiver-retry --receiver-give-up" ;;
    "compile") words="--help -h --out --target --precision --question-length --component --force --no-check --cpu --threads --json" ;;
    "model") words="check inspect score calibrate --help -h" ;;
    "model check") words="--help -h --golden --weights --precision --cpu --threads --json" ;;
    "model inspect") words="--help -h --json" ;;
    "model score") words="--help -h --model --artifacts --precision --cpu --threads --seed --count --questions --width --at-least --against --most-flips --json --drawn --pack --photos --unknown --unknown-pictures --report --no-calibration" ;;
    "model calibrate") words="--help -h --model --artifacts --precision --cpu --threads --drawn --pack --seed --out --json" ;;
    "doctor") words="--help -h --json" ;;
    "bench") words="--help -h --model --artifacts --random-base --precision --questions --steps --frames --threads --teams --cpu --repeat --seconds --json" ;;
    "stress") words="--help -h --grid --open-loop --arrivals --replay --frames --questions --duration --warmup --timeout --slo --price-per-hour --precision --token-file --metrics --metrics-token-file --cameras --wait --server-pid --seed --out --apply --check --no-check --json" ;;
    "cost") words="--help -h --frames-per-s --instance --region --price-per-hour --pricing --frames-per-camera-day --questions --asked-share --gate --cameras --peak --baseline --list --json" ;;
    "scenes") words="stream draw words gate --help -h" ;;
    "scenes stream") words="--help -h --seed --first --count --size --questions" ;;
    "scenes draw") words="--help -h --seed --first --count --width --out" ;;
    "scenes words") words="--help -h" ;;
    "scenes gate") words="--help -h --days --seed --fps --share --refresh --width --days-at-once --clip --clip-fps --rules --out --json --verbose --check --model --artifacts --precision --cpu --threads" ;;
    "completion") words="--help -h" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _pawsight pawsight
