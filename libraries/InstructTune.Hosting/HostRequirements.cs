using System.Text;

namespace InstructTune.Hosting;

/// <summary>What the machine must have, checked before anything else starts.</summary>
public static class HostRequirements
{
    /// <exception cref="InvalidOperationException">ICU is missing; the message says what to do.</exception>
    public static void Check()
    {
        // Without ICU, Normalize returns its input silently, and tokenizers then give wrong ids.
        if ("\u00e9".Normalize(NormalizationForm.FormD).Length != 2)
        {
            throw new InvalidOperationException(
                "Unicode data (ICU) is missing: install libicu (Debian and Ubuntu: apt-get install libicu-dev) and do not set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT.");
        }
    }
}
