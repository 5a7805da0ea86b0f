using System.Diagnostics;

namespace InstructTune.Numerics.Tests.Kernels;

/// <summary>The kernels on a processor without AVX2: the same tests in a process that is told it has none.</summary>
public sealed class PortableKernelTests
{
    [Theory]
    [InlineData("InstructTune.Numerics.Tests.Kernels.KernelMatrixTests")]
    [InlineData("InstructTune.Numerics.Tests.Kernels.CodeProductTests")]
    [InlineData("InstructTune.Numerics.Tests.Kernels.FloatLanesTests")]
    [InlineData("InstructTune.Numerics.Tests.Kernels.RowMathTests")]
    [InlineData("InstructTune.Numerics.Tests.Serving.KernelServingTests")]
    public async Task Without_AVX2_the_same_tests_pass(string tests)
    {
        Assert.SkipUnless(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "this process has no AVX2 itself");
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-class", tests, "-noColor"]) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment["DOTNET_EnableAVX2"] = "0";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        Assert.DoesNotContain("Total: 0,", output, StringComparison.Ordinal);
    }
}
