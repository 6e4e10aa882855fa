/* Lets a process see a processor with AVX2 that has neither AVX-512 nor VNNI nor AMX.
 *
 *     cc -shared -fPIC -o old_processor.so old_processor.c
 *     LD_PRELOAD=./old_processor.so python …
 *
 * Linux can make the instruction CPUID fault (arch_prctl(2), ARCH_CPUID), on x86-64 processors that have "cpuid_fault".
 * The fault's handler answers in its place, without the features in question. Libraries that choose their kernels by
 * CPUID, as ONNX Runtime does, then run those that they would run on such a processor.
 */

#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif

#define BIT(number) (1u << (number))

/* Leaf 7: AVX-512 and VNNI, then AMX; leaf 7.1: AVX-VNNI and AMX. Bits as in Intel's manual, volume 2A, CPUID. */
static const unsigned LEAF_7_EBX = BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31);
static const unsigned LEAF_7_ECX = BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14);
static const unsigned LEAF_7_EDX = BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25);
static const unsigned LEAF_7_1_EAX = BIT(4) | BIT(5) | BIT(21) | BIT(23);
static const unsigned LEAF_7_1_EDX = BIT(4) | BIT(5) | BIT(10) | BIT(19);

static long set_cpuid(long works) { return syscall(SYS_arch_prctl, ARCH_SET_CPUID, works); }

static void answer(int number, siginfo_t *info, void *context) {
  (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const unsigned char *code = (const unsigned char *)registers[REG_RIP];
  if (code[0] != 0x0f || code[1] != 0xa2) { /* no CPUID: a real fault, which comes again and ends the process */
    signal(number, SIG_DFL);
    return;
  }
  unsigned leaf = (unsigned)registers[REG_RAX], part = (unsigned)registers[REG_RCX], a, b, c, d;
  set_cpuid(1);
  __cpuid_count(leaf, part, a, b, c, d);
  set_cpuid(0);
  if (leaf == 7 && part == 0) {
    b &= ~LEAF_7_EBX;
    c &= ~LEAF_7_ECX;
    d &= ~LEAF_7_EDX;
  } else if (leaf == 7 && part == 1) {
    a &= ~LEAF_7_1_EAX;
    d &= ~LEAF_7_1_EDX;
  }
  registers[REG_RAX] = a;
  registers[REG_RBX] = b;
  registers[REG_RCX] = c;
  registers[REG_RDX] = d;
  registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void start(void) {
  struct sigaction action = {0};
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, NULL);
  if (set_cpuid(0) != 0) {
    perror("old_processor: CPUID cannot be made to fault");
    exit(77);
  }
}
