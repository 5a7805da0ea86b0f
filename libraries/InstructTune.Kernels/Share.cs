namespace InstructTune.Kernels;

/// <summary>The part of a row of work that one member of a team does.</summary>
/// <param name="From">First item.</param>
/// <param name="To">One past the last.</param>
public readonly record struct Share(int From, int To)
{
    /// <summary>Cuts the items into contiguous parts, which begin at multiples of <paramref name="multiple"/>.</summary>
    public static Share Of(int items, int member, int members, int multiple = 1)
    {
        var units = (items + multiple - 1) / multiple;
        return new Share(Math.Min(items, units * member / members * multiple), Math.Min(items, units * (member + 1) / members * multiple));
    }
}
