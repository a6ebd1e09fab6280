{{ banner }}
// What the harness has to know of this design.
#pragma once

constexpr unsigned kStreamBytes = {{ stream_bytes }};
constexpr unsigned kBeats = {{ beats }};
constexpr unsigned kResultTap = {{ result_tap }};  // an image's result
{%- if memory %}

// Every image comes with a command.
#define HF_COMMANDS
{%- endif %}
{%- if access %}

// The arrays can be programmed.
#define HF_ACCESS
{%- endif %}

// HF_TAP(number, bits, firings of an image (0: any number before its result), detail)
#define HF_TAPS(HF_TAP) \
{%- for t in taps %}
  HF_TAP({{ loop.index0 }}, {{ t.bits }}, {{ t.per_image }}, {{ t.detail }}){% if !loop.last %} \{% endif %}
{%- endfor %}
