// Drives the Verilator model of a hafnia design and reports what its taps show.
//
// Usage: harness [+hafnia_mem=DIR] stimulus=FILE images=N [commands=FILE] [seed=S] [resets=R] [detail=IMAGE] [limit=CYCLES]
//                [trace=FILE from=CYCLE to=CYCLE] [precharge=C] [window=C] [bus=FILE]
//
// stimulus  beats of all images in order, kStreamBytes each, kBeats an image.
// commands  for a few-shot memory: what s_axis_tuser_i holds with each image, 4 bytes an image, little-endian.
// seed      0: no stalls. Otherwise both streams stall at random.
// resets    so many resets fall at random cycles, all of them before the last result has left.
// detail    also report the detail taps of this image.
// bus       steps on the register bus after the first reset, before the images: lines of three decimal numbers, kind, address and
//           data. Kinds: 0 write, 1 read, 2 read until no bit of data is set, 3 leave out the next `data` steps where bit
//           `address` of the value last read is 0.
// limit     give up after so many cycles without a result.
//
// Standard output is a sequence of records, little-endian:
//   'T' u16 tap, u32 image, u64 cycle, u32 firing of the image, payload of ceil(bits / 8) bytes
//   'O' u32 image, u64 cycle of the last beat, u32 bytes, payload: the result's beats
//   'R' u64 cycle, u32 first image dropped, u32 images started: a reset dropped the images between
//   'P' u64 cycle, u8 what: protocol fault at the output (1: valid fell, 2: data changed, 3: tlast out of place)
//   'B' u32 step, u64 cycles since the first step, u64 cycles of them in which arrays were programmed, u8 response, u32 value: a
//       read, or a write whose response was not 0
//   'W' a wait on the register bus did not end; nothing was run
//   'E' u64 cycles, u64 cycle of the first input beat, u8 status (0: all images done, 1: no progress)
// Cycle 0 is the first cycle after the first reset and the steps on the register bus. A reset's images are sent again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "Vsim.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif
#include "taps.h"

namespace {

// Greatest distance, in cycles, of the first reset, and of every one once only the last image is left.
const uint64_t kNear = kBeats + 64;

// xorshift64*: small, seeded, the same everywhere.
struct Random {
  uint64_t state;
  uint64_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717ull;
  }
  bool one_in(unsigned n) { return (next() >> 33) % n == 0; }
  uint64_t below(uint64_t n) { return (next() >> 11) % n; }
};

void put(const void* data, size_t size) { std::fwrite(data, 1, size, stdout); }
template <class T>
void put_number(T value) { put(&value, sizeof value); }

// The words of a port as bytes, whatever type Verilator gave it.
template <class T>
void put_port(const T& port, unsigned bits) { put(&port, (bits + 7) / 8); }

template <class T>
void set_port(T& port, const uint8_t* bytes) { std::memcpy(&port, bytes, kStreamBytes); }

struct Options {
  std::string stimulus, commands, trace, bus;
  uint64_t images = 0, seed = 0, resets = 0, limit = 1000000, from = 0, to = 0, precharge = 0, window = 0;
  int64_t detail = -1;
};

bool starts(const char* text, const char* key, std::string& value) {
  size_t n = std::strlen(key);
  if (std::strncmp(text, key, n) != 0 || text[n] != '=') return false;
  value = text + n + 1;
  return true;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; i++) {
    std::string v;
    if (argv[i][0] == '+') continue;
    if (starts(argv[i], "stimulus", v)) o.stimulus = v;
    else if (starts(argv[i], "commands", v)) o.commands = v;
    else if (starts(argv[i], "trace", v)) o.trace = v;
    else if (starts(argv[i], "bus", v)) o.bus = v;
    else if (starts(argv[i], "images", v)) o.images = std::stoull(v);
    else if (starts(argv[i], "seed", v)) o.seed = std::stoull(v);
    else if (starts(argv[i], "resets", v)) o.resets = std::stoull(v);
    else if (starts(argv[i], "limit", v)) o.limit = std::stoull(v);
    else if (starts(argv[i], "from", v)) o.from = std::stoull(v);
    else if (starts(argv[i], "to", v)) o.to = std::stoull(v);
    else if (starts(argv[i], "detail", v)) o.detail = std::stoll(v);
    else if (starts(argv[i], "precharge", v)) o.precharge = std::stoull(v);
    else if (starts(argv[i], "window", v)) o.window = std::stoull(v);
    else {
      std::fprintf(stderr, "harness: unknown argument %s\n", argv[i]);
      std::exit(2);
    }
  }
  return o;
}

// Reads so many bytes; says on standard error why not.
bool read_file(const std::string& path, size_t size, std::vector<uint8_t>& bytes) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) {
    std::fprintf(stderr, "harness: cannot open %s\n", path.c_str());
    return false;
  }
  bytes.resize(size);
  size_t got = std::fread(bytes.data(), 1, size, file);
  std::fclose(file);
  if (got != size) std::fprintf(stderr, "harness: %s is too short\n", path.c_str());
  return got == size;
}

struct Simulation {
  Options o;
  VerilatedContext context;
  Vsim dut{&context};
#if VM_TRACE
  VerilatedVcdC vcd;
#endif
  Random random{0};
  std::vector<uint8_t> stimulus, commands;
  uint64_t cycle = 0, first_beat = 0, last_progress = 0;
  bool counting = false;  // the first reset is over; what came before is not in the waveform
  bool any_beat = false;
  uint64_t base = 0, started = 0, done = 0;  // first image since reset, images started, images finished
  uint64_t beat = 0;                         // beats of image `started` already sent
  std::vector<uint64_t> fired;               // firings of each tap since reset
  std::vector<uint64_t> fired_before;        // the same when the last result was seen
  bool offering = false, held = false;
  std::vector<uint8_t> result, held_data;

  void half(bool clock) {
    dut.clk_i = clock;
    dut.eval();
#if VM_TRACE
    if (counting && !o.trace.empty() && cycle >= o.from && cycle <= o.to) vcd.dump(10 * cycle + (clock ? 5 : 0));
#endif
  }

  // Only the last image is left and resets are still due: its result has to wait for them.
  bool resets_due_in_last() const { return o.resets && done + 1 == o.images; }

  void idle_inputs() {
    dut.s_axis_tvalid_i = 0;
    dut.m_axis_tready_i = 0;
    dut.s_axil_awvalid_i = 0;
    dut.s_axil_wvalid_i = 0;
    dut.s_axil_arvalid_i = 0;
    dut.s_axil_bready_i = 1;
    dut.s_axil_rready_i = 1;
  }

  void reset() {
    idle_inputs();
    dut.rst_ni = 0;
    for (int i = 0; i < 4; i++) {
      half(false);
      half(true);
      if (counting) cycle++;
    }
    dut.rst_ni = 1;
    base = started = done;
    beat = 0;
    offering = held = false;
    result.clear();
    fired.assign(fired.size(), 0);
    fired_before = fired;
    if (o.precharge) write_register(0x0C, o.precharge);
    if (o.window) write_register(0x10, o.window);
  }

  uint64_t bus_cycles = 0, bus_busy = 0;

  void bus_tick() {
    half(false);
#ifdef HF_ACCESS
    bus_busy += dut.access_busy_o;
#endif
    bus_cycles++;
    half(true);
  }

  uint8_t bus_write(uint8_t address, uint32_t value) {
    dut.s_axil_awvalid_i = dut.s_axil_wvalid_i = 1;
    dut.s_axil_awaddr_i = address;
    dut.s_axil_wdata_i = value;
    dut.s_axil_wstrb_i = 0xF;
    bus_tick();
    dut.s_axil_awvalid_i = dut.s_axil_wvalid_i = 0;
    uint8_t response = dut.s_axil_bresp_o;
    bus_tick();
    return response;
  }

  uint8_t bus_read(uint8_t address, uint32_t& value) {
    dut.s_axil_arvalid_i = 1;
    dut.s_axil_araddr_i = address;
    bus_tick();
    dut.s_axil_arvalid_i = 0;
    value = dut.s_axil_rdata_o;
    uint8_t response = dut.s_axil_rresp_o;
    bus_tick();
    return response;
  }

  void bus_report(uint32_t step, uint8_t response, uint32_t value) {
    put_number('B');
    put_number<uint32_t>(step);
    put_number<uint64_t>(bus_cycles);
    put_number<uint64_t>(bus_busy);
    put_number<uint8_t>(response);
    put_number<uint32_t>(value);
  }

  // False where the file cannot be read, or a wait did not end.
  bool bus_steps() {
    std::FILE* file = std::fopen(o.bus.c_str(), "r");
    if (!file) {
      std::fprintf(stderr, "harness: cannot open %s\n", o.bus.c_str());
      return false;
    }
    unsigned kind, address;
    unsigned long data;
    uint32_t value = 0, skip = 0;
    bool done = true;
    for (uint32_t step = 0; done && std::fscanf(file, "%u %u %lu", &kind, &address, &data) == 3; step++) {
      if (skip) {
        skip--;
        continue;
      }
      if (kind == 0) {
        uint8_t response = bus_write(address, data);
        if (response) bus_report(step, response, 0);
      } else if (kind == 3) {
        skip = value >> address & 1 ? 0 : data;
      } else {
        uint64_t start = bus_cycles;
        uint8_t response = bus_read(address, value);
        while (kind == 2 && !response && (value & data) && bus_cycles - start <= o.limit) response = bus_read(address, value);
        bus_report(step, response, value);
        done = kind != 2 || !(value & data);
      }
    }
    std::fclose(file);
    if (!done) {
      put_number('W');
      std::fflush(stdout);
    }
    return done;
  }

  void write_register(uint8_t address, uint32_t value) {
    dut.s_axil_awvalid_i = dut.s_axil_wvalid_i = 1;
    dut.s_axil_awaddr_i = address;
    dut.s_axil_wdata_i = value;
    dut.s_axil_wstrb_i = 0xF;
    half(false);
    half(true);
    if (counting) cycle++;
    dut.s_axil_awvalid_i = dut.s_axil_wvalid_i = 0;
    half(false);
    half(true);
    if (counting) cycle++;
  }

  template <class T>
  void tap(unsigned number, unsigned bits, unsigned per_image, bool detail, bool fire, const T& data) {
    if (!fire) return;
    uint64_t count = fired[number]++;
    // A tap that fires any number of times for an image does so before its result.
    uint64_t image = base + (per_image ? count / per_image : fired[kResultTap]);
    uint64_t firing = per_image ? count % per_image : count - fired_before[number];
    if (number == kResultTap) fired_before = fired;
    if (detail && static_cast<int64_t>(image) != o.detail) return;
    put_number('T');
    put_number<uint16_t>(number);
    put_number<uint32_t>(image);
    put_number<uint64_t>(cycle);
    put_number<uint32_t>(firing);
    put_port(data, bits);
  }

  void fault(uint8_t what) {
    put_number('P');
    put_number<uint64_t>(cycle);
    put_number<uint8_t>(what);
  }

  void output() {
    uint8_t data[kStreamBytes];
    std::memcpy(data, &dut.m_axis_tdata_o, kStreamBytes);
    bool valid = dut.m_axis_tvalid_o;
    if (held && !valid) fault(1);
    if (held && valid && std::memcmp(data, held_data.data(), kStreamBytes) != 0) fault(2);
    bool taken = valid && dut.m_axis_tready_i;
    held = valid && !taken;
    held_data.assign(data, data + kStreamBytes);
    if (!taken) return;
    result.insert(result.end(), data, data + kStreamBytes);
    if (result.size() > 64u << 20) fault(3);
    if (!dut.m_axis_tlast_o) return;
    put_number('O');
    put_number<uint32_t>(done);
    put_number<uint64_t>(cycle);
    put_number<uint32_t>(result.size());
    put(result.data(), result.size());
    result.clear();
    done++;
    last_progress = cycle;
    std::fflush(stdout);
  }

  void step() {
    bool stall_in = o.seed && random.one_in(3);
    bool stall_out = o.seed && random.one_in(3);
    // A beat that has been offered stays until it is taken.
    if (!offering) offering = started < o.images && !stall_in;
    dut.s_axis_tvalid_i = offering;
    if (offering) {
      set_port(dut.s_axis_tdata_i, &stimulus[(started * kBeats + beat) * kStreamBytes]);
      dut.s_axis_tlast_i = beat + 1 == kBeats;
#ifdef HF_COMMANDS
      uint32_t command;
      std::memcpy(&command, &commands[4 * started], 4);
      dut.s_axis_tuser_i = command;
#endif
    }
    dut.m_axis_tready_i = !stall_out && !resets_due_in_last();
    half(false);
#define HF_TAP(number, bits, per_image, detail) \
  tap(number, bits, per_image, detail, dut.tap##number##_fire_o, dut.tap##number##_data_o);
    HF_TAPS(HF_TAP)
#undef HF_TAP
    output();
    if (offering && dut.s_axis_tready_o) {
      if (!any_beat) first_beat = cycle;
      any_beat = true;
      offering = false;
      if (++beat == kBeats) {
        beat = 0;
        started++;
      }
    }
    half(true);
    cycle++;
  }

  // Whether every tap has fired for every image: positions that no later layer needs may come after the last result.
  bool drained() const {
    bool all = true;
#define HF_TAP(number, bits, per_image, detail) all = all && (detail || fired[number] >= (o.images - base) * per_image);
    HF_TAPS(HF_TAP)
#undef HF_TAP
    return all;
  }

  int run() {
    unsigned taps = 0;
#define HF_TAP(number, bits, per_image, detail) taps = number + 1;
    HF_TAPS(HF_TAP)
#undef HF_TAP
    fired.assign(taps, 0);
    random.state = o.seed * 0x9E3779B97F4A7C15ull + 1;
    reset();
    if (!o.bus.empty() && !bus_steps()) return 0;
    counting = true;
    // Resets fall at random distances of some images.
    uint64_t reset_in = o.resets ? 1 + random.below(kNear) : 0;
    while ((done < o.images || !drained()) && cycle - last_progress <= o.limit) {
      step();
      if (reset_in > kNear && resets_due_in_last()) reset_in = 1 + random.below(kNear);
      if (done < o.images && reset_in && --reset_in == 0) {
        put_number('R');
        put_number<uint64_t>(cycle);
        put_number<uint32_t>(done);
        put_number<uint32_t>(started + (beat > 0));
        reset();
        last_progress = cycle;
        if (--o.resets) reset_in = 1 + random.below(8 * (cycle / (done + 1) + kBeats));
      }
    }
    put_number('E');
    put_number<uint64_t>(cycle);
    put_number<uint64_t>(first_beat);
    put_number<uint8_t>(done < o.images);
    std::fflush(stdout);
    dut.final();
    return 0;
  }
};

}  // namespace

int main(int argc, char** argv) {
  Options options = parse(argc, argv);
  static char buffer[1 << 20];
  std::setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  Verilated::commandArgs(argc, argv);
  static Simulation simulation;
  simulation.o = options;
  simulation.context.commandArgs(argc, argv);
  if (!read_file(options.stimulus, options.images * kBeats * kStreamBytes, simulation.stimulus)) return 2;
#ifdef HF_COMMANDS
  if (!read_file(options.commands, options.images * 4, simulation.commands)) return 2;
#endif
#if VM_TRACE
  if (!options.trace.empty()) {
    simulation.context.traceEverOn(true);
    simulation.dut.trace(&simulation.vcd, 99);
    simulation.vcd.open(options.trace.c_str());
  }
#endif
  int status = simulation.run();
#if VM_TRACE
  if (!options.trace.empty()) simulation.vcd.close();
#endif
  return status;
}
